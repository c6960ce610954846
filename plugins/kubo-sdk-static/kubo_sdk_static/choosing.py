"""Which machine an instance gets, and who remembers whom.  Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kubo_sdk.errors import ConfigError, QuotaExceeded
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk_static.claims import Claim
from kubo_sdk_static.machines_file import Machine
from kubo_sdk_static.survey import Sight

NEIGHBOURS = 2
_WISHES = ("labels", "machines")
_MOST_NAMED = 5


def candidates(request: VmRequest, sights: Sequence[Sight]) -> tuple[Machine, ...]:
    """The machines that can be had, best first: of the zone, as large as wished, with the wished labels.

    First those with the fewest labels nobody asked for, then those in racks where the group has fewest machines, then
    the smallest; last by a digest, which is the same for everybody and different for every slot.  QuotaExceeded when
    there is none, with what became of each; ConfigError when the wish is none that can be wished.
    """
    labels, names = wishes(request.size, request.instance.group)
    obstacles = {sight.machine.name: _obstacle(request, sight, labels, names) for sight in sights}
    free = [sight for sight in sights if not obstacles[sight.machine.name]]
    if not free:
        raise QuotaExceeded(_none_left(request, obstacles))
    racks = _racks(request, sights)

    def rank(sight: Sight) -> tuple[int, int, int, int, str]:
        machine, look = sight.machine, sight.look
        size = (look.cpus, look.memory_mb) if look else (0, 0)
        return (len(machine.labels) - len(labels), racks[machine.rack], *size, _digest(request, machine.name))

    return tuple(sight.machine for sight in sorted(free, key=rank))


def wishes(size: VmSize, group: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """The labels and names that ``cloud_properties`` ask for.  ConfigError for anything else in there."""
    told: Mapping[str, Any] = size.cloud_properties
    problems = [
        f"cpi static: cloud_properties of group {group!r}: {key!r} is not known; known here: {', '.join(_WISHES)}"
        for key in told
        if key not in _WISHES
    ]
    labels, names = told.get("labels", {}), told.get("machines", ())
    if not isinstance(labels, Mapping):
        problems.append(f"cpi static: cloud_properties of group {group!r}: labels must be a mapping")
    if not isinstance(names, list | tuple):
        problems.append(f"cpi static: cloud_properties of group {group!r}: machines must be a list of names")
    if problems:
        raise ConfigError(problems)
    return {str(key): str(value) for key, value in labels.items()}, tuple(map(str, names))


def _obstacle(request: VmRequest, sight: Sight, labels: Mapping[str, str], names: Sequence[str]) -> str:
    """Why the machine cannot be had; empty when it can."""
    machine, look = sight.machine, sight.look
    if machine.zone != request.instance.az:
        return "in another zone"
    if (names and machine.name not in names) or any(machine.labels.get(key) != value for key, value in labels.items()):
        return "other than wished for"
    if look is None:
        return "silent"
    too_small = look.cpus < request.size.cpus or look.memory_mb < request.size.memory_mb
    occupied = "in use by somebody else" if look.used else "too small" if too_small else ""
    return "taken" if look.claim is not None else occupied


def _none_left(request: VmRequest, obstacles: Mapping[str, str]) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, why in obstacles.items():
        by_reason.setdefault(why, []).append(name)
    told = "; ".join(f"{len(names)} {why}{_named(why, names)}" for why, names in sorted(by_reason.items()))
    return (
        f"no machine is free for {request.instance.id} of cluster {request.cluster} in zone {request.instance.az} "
        f"({told}); add one to the machines file or shrink group {request.instance.group!r}"
    )


def _named(why: str, names: Sequence[str]) -> str:
    """Whom to look after."""
    if why not in ("silent", "in use by somebody else"):
        return ""
    more = ", …" if len(names) > _MOST_NAMED else ""
    return f" ({', '.join(sorted(names)[:_MOST_NAMED])}{more})"


def _racks(request: VmRequest, sights: Iterable[Sight]) -> Counter[str]:
    """How many machines of the group each rack has."""
    group = request.instance.group
    found: Counter[str] = Counter()
    for sight in sights:
        claim = sight.look.claim if sight.look else None
        if claim and claim.cluster == request.cluster and claim.instance.rpartition("/")[0] == group:
            found[sight.machine.rack] += 1
    return found


def _digest(request: VmRequest, name: str) -> str:
    return hashlib.sha256(f"{request.cluster} {request.token} {name}".encode()).hexdigest()


def rings(claims: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Who remembers whom, as (holder, about): each machine the two before it and the two after it, in order of names.

    Of two that are claimed at the same time, the one that looks later sees the other.  So those that are neighbours in
    the end have seen each other when they were written down, whoever else came in between.
    """
    ordered = sorted(claims, key=lambda claim: claim.machine)
    for index, claim in enumerate(ordered):
        for step in range(1, NEIGHBOURS + 1):
            other = ordered[(index + step) % len(ordered)]
            if other.machine != claim.machine:
                yield claim, other
                yield other, claim
