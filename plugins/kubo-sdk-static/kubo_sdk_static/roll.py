"""Roll: which machines a cluster has, those included that do not answer now."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from threading import Lock

from attrs import frozen

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_static.choosing import rings
from kubo_sdk_static.claiming import Claiming
from kubo_sdk_static.claims import Claim, Phase
from kubo_sdk_static.machines_file import Machine, MachinesFile
from kubo_sdk_static.survey import Sight, Survey

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Census:
    """The claims of one cluster.  ``present``: on machines that answer; ``silent``: known of machines that do not."""

    present: tuple[tuple[Claim, Phase], ...]
    silent: tuple[Claim, ...]


class Roll:
    """Asks all machines, and of those that are silent the others: each claim is remembered by four more machines.

    What this process saw itself it remembers, too.
    """

    def __init__(self, file: MachinesFile, survey: Survey, claiming: Claiming) -> None:
        self._file = file
        self._survey = survey
        self._claiming = claiming
        self._known: dict[str, Claim | None] = {}
        self._seen: tuple[Sight, ...] = ()
        self._lock = Lock()

    def machine(self, claim: Claim) -> Machine:
        """The machine of the claim.  NotFound when the file does not list it any more."""
        found = self._file.find(claim.machine)
        if found is None:
            raise NotFound(f"machine {claim.machine} is not in {self._file.path} any more")
        return found

    def seen(self) -> tuple[Sight, ...]:
        """All machines as the last `read` saw them."""
        return self._seen

    def read(self, cluster: ClusterId) -> Census:
        """Who has what now.  Raises what stands in the way when no machine answers at all."""
        sights = self._survey.take()
        present, silent = [], []
        for sight in sights:
            if sight.look is None:
                silent.append(sight)
            elif sight.look.claim is not None and sight.look.claim.cluster == cluster:
                present.append((sight.look.claim, sight.look.phase))
        self._learn(sights)
        found = self._silent_claims(cluster, sights, silent)
        taken = {(claim.token) for claim, phase in present if phase is Phase.SETTLED}
        return Census(
            present=tuple(sorted(present, key=lambda pair: (pair[0].instance, pair[0].at))),
            # Where another machine has the slot by now, the silent one was given up.
            silent=tuple(claim for claim in found if claim.token not in taken),
        )

    def _learn(self, sights: Sequence[Sight]) -> None:
        with self._lock:
            self._seen = tuple(sights)
            self._known.update({sight.machine.name: sight.look.claim for sight in sights if sight.look is not None})

    def _silent_claims(self, cluster: ClusterId, sights: Sequence[Sight], silent: Sequence[Sight]) -> tuple[Claim, ...]:
        """What is known of the machines that do not answer: by this process, or else by others of the cluster."""
        found, asked = {}, []
        for sight in silent:
            name = sight.machine.name
            log.info("machine %s: %s", name, sight.trouble)
            if name in self._known:
                known = self._known[name]
                if known is not None:
                    found[name] = known
            else:
                asked.append(name)
        holders = [
            sight.machine
            for sight in sights
            if sight.look is not None
            and sight.look.claim is not None
            and sight.look.claim.cluster == cluster
            and set(asked) & set(sight.look.notes)
        ]
        for holder in holders:
            self._survey.each([partial(self._recall, holder, asked, found)])
        return tuple(claim for _, claim in sorted(found.items()) if claim.cluster == cluster)

    def _recall(self, holder: Machine, names: Sequence[str], found: dict[str, Claim]) -> None:
        for claim in self._claiming.recall(holder, names):
            known = found.get(claim.machine)
            if known is None or known.at < claim.at:
                found[claim.machine] = claim

    def forget(self, name: str) -> None:
        """The machine was given back."""
        with self._lock:
            self._known[name] = None

    def remembered_by(self, claim: Claim, around: Iterable[Claim]) -> tuple[Claim, ...]:
        """Whom the machine of *claim* remembers."""
        return tuple(about for holder, about in rings({*around, claim}) if holder == claim)

    def spread(self, claim: Claim, around: Iterable[Claim]) -> None:
        """Have its neighbours remember the claim.  Who does not answer now does not matter: there are four."""
        holders = [holder for holder, about in rings({*around, claim}) if about == claim]
        self._survey.each([partial(self._claiming.remember, holder, claim) for holder in set(holders)])
        with self._lock:
            self._known[claim.machine] = claim

    def tidy_after(self, claim_id: str, machine: str) -> None:
        """Nobody is to remember a claim that is no more, and those it stood between remember each other."""
        with self._lock:
            self._known[machine] = None
            seen = self._seen
        there = {sight.look.claim: sight.look for sight in seen if sight.look is not None and sight.look.claim}
        gone = next((claim for claim in there if claim.id == claim_id), None)
        if gone is None:
            return
        mates = {claim: look for claim, look in there.items() if claim.cluster == gone.cluster and claim != gone}
        forget = [partial(self._claiming.forget, mate, gone) for mate, look in mates.items() if machine in look.notes]
        missing = {(holder, about) for holder, about in rings(mates) if about.machine not in mates[holder].notes}
        self._survey.each([*forget, *(partial(self._claiming.remember, *pair) for pair in missing)])
