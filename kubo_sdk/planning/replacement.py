"""Which machines a changed spec replaces, and in which rounds.  What cannot be changed on a running machine.  Pure.

What a machine was made of is in its tags, so every CPI tells it.  One that does not, from before, is left as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from kubo_sdk.errors import ConfigError, UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, UpdatePolicy, VmSize
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.observation import InstanceView
from kubo_sdk.planning.plan import Replacement
from kubo_sdk.planning.repair import Repair
from kubo_sdk.planning.rollout import batches
from kubo_sdk.planning.situation import Situation

SIZE = "size"
STEMCELL = "stemcell"

# Nobody names a worker or a master but who is told without a restart; etcd's members are named by most.
_ORDER = (Role.MASTER, Role.WORKER, Role.PROXY, Role.ETCD)


def made_of(size: VmSize, abilities: Abilities) -> tuple[tuple[str, str], ...]:
    """The tags that tell what a machine is made of."""
    facts = {"cpus": size.cpus, "memory_mb": size.memory_mb, "cloud_properties": size.cloud_properties}
    stemcell = ((STEMCELL, _digest(abilities.stemcell)),) if abilities.stemcell else ()
    return ((SIZE, _digest(facts)), *stemcell)


def replacements(situation: Situation) -> tuple[Replacement, ...]:
    """The machines that are to be replaced, masters first, etcd's members last.

    ConfigError where data would be lost by it, UnsafePlan where the policy forbids it.
    """
    by_role = (view for role in _ORDER for view in situation.of(role))
    found = tuple(each for view in by_role if (each := _replacement(situation, view)))
    lost = [each for each in found if each.loses_data and not _is_etcd(situation.spec, each.instance)]
    if lost:
        raise ConfigError([_why_not(situation.spec, each) for each in lost])
    if found and situation.spec.update.policy is UpdatePolicy.IN_PLACE_ONLY:
        told = ", ".join(f"{each.instance} ({each.reason})" for each in found)
        raise UnsafePlan(
            f"cluster {situation.spec.id} would have machines replaced: {told}; update.policy is in_place_only, so "
            "take the change back or set the policy to as_needed"
        )
    return found


def rounds(spec: ClusterSpec, found: Iterable[Replacement]) -> tuple[Repair, ...]:
    """What is replaced at the same time; each round begins when the one before is over."""
    chosen = {each.instance: each for each in found}
    groups = sorted(spec.instance_groups, key=lambda group: _ORDER.index(group.role))
    made: list[Repair] = []
    for group in groups:
        members = [member for member in group.members() if member.id in chosen]
        if group.role is Role.WORKER:
            made += [_repair(chosen, batch.instances) for batch in batches(group, members, spec.update)]
        else:
            made += [_repair(chosen, (member.id,)) for member in members]
    return tuple(made)


def _repair(chosen: dict[str, Replacement], names: tuple[str, ...]) -> Repair:
    wipe = tuple(name for name in names if chosen[name].loses_data)
    return Repair(replace=tuple(name for name in names if name not in wipe), wipe=wipe)


def _replacement(situation: Situation, view: InstanceView) -> Replacement | None:
    if not view.exists or not view.reachable or situation.is_condemned(view):
        return None
    for reason in _about_data(situation, view):
        loses_data = view.disk is not None or view.instance.role is Role.ETCD
        untouched = _is_untouched(situation, view)
        return Replacement(instance=view.instance.id, reason=reason, loses_data=loses_data, untouched=untouched)
    reasons = tuple(_about_machine(situation, view))
    if not reasons:
        return None
    untouched = _is_untouched(situation, view)
    return Replacement(instance=view.instance.id, reason=" and ".join(reasons), untouched=untouched)


def _is_untouched(situation: Situation, view: InstanceView) -> bool:
    """Whether its changes wait for its new machine: no use in restarting what goes anyway.

    Members of etcd must hear of each other's new addresses, so theirs wait only where they could not be made.
    """
    if situation.spec.update.policy is UpdatePolicy.REPLACE:
        return situation.is_loud(view)
    if view.instance.role is Role.ETCD:
        return situation.wants_disk(view) is not (view.disk is not None)
    return situation.is_loud(view)


def _about_data(situation: Situation, view: InstanceView) -> Iterator[str]:
    """What changes where the data is: etcd's member comes back empty and gets it from the others."""
    if not situation.abilities.disks:
        return
    wished = situation.spec.group(view.instance.group).persistent_disk_mb
    if view.disk is None and wished:
        yield f"it has no persistent disk and is to have {wished} MB"
    elif view.disk is not None and not wished:
        yield "it has a persistent disk and is to have none"
    elif view.disk is not None and view.disk.size_mb < wished:
        # A larger one is left: a cloud rounds up.
        yield f"its persistent disk has {view.disk.size_mb} MB and is to have {wished}"
    elif view.disk is not None and _moves(situation, view):
        yield f"it is in AZ {view.vm.az if view.vm else ''} with its disk and is to be in {view.instance.az}"


def _about_machine(situation: Situation, view: InstanceView) -> Iterator[str]:
    wished = dict(made_of(situation.spec.group(view.instance.group).vm, situation.abilities))
    tags = dict(view.vm.tags) if view.vm is not None else {}
    if tags.get(SIZE, wished[SIZE]) != wished[SIZE]:
        yield "its machine has another size than the spec says"
    if STEMCELL in wished and tags.get(STEMCELL, wished[STEMCELL]) != wished[STEMCELL]:
        yield "its machine is made from another stemcell"
    if _moves(situation, view):
        yield f"it is in AZ {view.vm.az if view.vm else ''} and is to be in {view.instance.az}"
    if situation.spec.update.policy is UpdatePolicy.REPLACE and situation.is_loud(view) and view.settled:
        yield "its units would restart, and update.policy is replace"


def _moves(situation: Situation, view: InstanceView) -> bool:
    return situation.abilities.zones and view.vm is not None and view.vm.az != view.instance.az


def _is_etcd(spec: ClusterSpec, name: str) -> bool:
    instance = spec.instance(name)
    return instance is not None and instance.role is Role.ETCD


def _why_not(spec: ClusterSpec, each: Replacement) -> str:
    return (
        f"{each.instance} of cluster {spec.id}: {each.reason}, and what is on the disk would be lost; put the former "
        "value back, or make another group and take this one away"
    )


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=dict).encode()).hexdigest()[:16]
