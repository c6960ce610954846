"""Creation: finds a machine for a slot and claims it, so that whoever else does the same ends with the same one.

A claim is made first and looked around after it.  Of two processes that claim two machines for one slot, the one that
looks later sees the other's.  It gives its own back when the other is settled, or has the smaller id; one that is not
settled and has the larger id is taken away from the other, which then finds this one.
"""

from __future__ import annotations

import logging
import os
import socket
from datetime import UTC, datetime

from attrs import frozen

from kubo_sdk.errors import Conflict, NotFound, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.ports.cpi import Vm, VmRequest, VmState
from kubo_sdk_static.choosing import candidates
from kubo_sdk_static.claiming import Claiming
from kubo_sdk_static.claims import Claim, Phase
from kubo_sdk_static.machines_file import Machine
from kubo_sdk_static.roll import Roll

log = logging.getLogger(__name__)

ATTEMPTS = 5


@frozen
class Creation:
    """Claims machines."""

    roll: Roll
    claiming: Claiming

    def create(self, request: VmRequest) -> Vm:
        """The machine of the slot, claimed now or before.  When it raises, no claim is left."""
        if request.disks:
            raise NotFound(f"there is no disk {request.disks[0]}: the cpi static has none")
        for _ in range(ATTEMPTS):
            done = self._try(request)
            if done is not None:
                return done.vm(VmState.RUNNING)
        raise Unavailable(
            f"other processes keep claiming and giving back machines for {request.instance.id}; try again"
        )

    def _try(self, request: VmRequest) -> Claim | None:
        """One attempt; None when the world moved meanwhile."""
        census = self.roll.read(request.cluster)
        for silent in census.silent:
            if silent.fills(request):
                raise Unavailable(
                    f"{request.instance.id} has machine {silent.machine} already, which does not answer; switch it on, "
                    "or take it out of the machines file when it is gone for good"
                )
        mine = [(claim, phase) for claim, phase in census.present if claim.fills(request)]
        settled = [claim for claim, phase in mine if phase is Phase.SETTLED]
        if settled:
            return max(settled, key=lambda claim: (claim.at, claim.id))
        released = [claim for claim, phase in mine if phase is Phase.RELEASING]
        for claim in released:
            self.claiming.release(self.roll.machine(claim), claim.id)
        if released:
            return None
        half = min((claim for claim, _ in mine), key=lambda claim: claim.id, default=None)
        made = half or self._claim(request)
        return self._settle(request, made) if made is not None else None

    def _claim(self, request: VmRequest) -> Claim | None:
        """Claim the best machine that is still free when its turn comes."""
        refused: ProviderError | None = None
        for machine in candidates(request, self.roll.seen()):
            wished = Claim.of(request, machine, at=_now(), by=f"{socket.gethostname()} process {os.getpid()}")
            try:
                found = self.claiming.claim(machine, wished).claim
            except ProviderError as error:
                log.warning("%s", error)
                refused = error
                self._give_back(machine, wished)
                continue
            if found is not None and found.fills(request):
                return found
        if refused is not None:
            raise refused
        log.info("all machines that were free for %s have been claimed by others meanwhile", request.instance.id)
        return None

    def _settle(self, request: VmRequest, claim: Claim) -> Claim | None:
        machine = self.roll.machine(claim)
        try:
            census = self.roll.read(request.cluster)
            others = [(o, phase) for o, phase in census.present if o.fills(request) and o.id != claim.id]
            if any(phase is Phase.SETTLED or other.id < claim.id for other, phase in others):
                self.claiming.release(machine, claim.id, unsettled=True)
                return None
            for other, _ in others:
                if not self.claiming.release(self.roll.machine(other), other.id, unsettled=True):
                    self.claiming.release(machine, claim.id, unsettled=True)
                    return None
            around = [other for other, _ in census.present]
            if not self.claiming.settle(machine, claim, self.roll.remembered_by(claim, around)):
                raise Conflict(f"machine {machine.name} was given back while it was claimed for {request.instance.id}")
            self.roll.spread(claim, around)
        except QuotaExceeded:
            raise
        except ProviderError:
            self._give_back(machine, claim)
            raise
        return claim

    def _give_back(self, machine: Machine, claim: Claim) -> None:
        """After a failure: what cannot be given back now is listed, and given back or completed by the next call."""
        try:
            self.claiming.release(machine, claim.id, unsettled=True)
        except ProviderError as error:
            log.warning("machine %s may still be claimed for %s: %s", machine.name, claim.instance, error)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
