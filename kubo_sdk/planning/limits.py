"""Limits: refuse the plans an operator would regret, before anything happens."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.errors import ConfigError, NotFound, Unavailable, UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.planning.leaving import may_leave
from kubo_sdk.planning.majority import check_majority, check_readable
from kubo_sdk.planning.observation import InstanceView, role_of
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.rotation import check_additions
from kubo_sdk.planning.settings import check_settings
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.upgrade import check_versions
from kubo_sdk.ports.cpi import Vm


def check_deploy(situation: Situation, *, force: bool) -> None:
    """Raise ConfigError where the providers cannot carry the spec, UnsafePlan where the cluster would suffer.

    Unavailable: a machine that must be worked on does not answer.
    """
    _check_providers(situation)
    _check_names(situation)
    check_settings(situation)
    check_versions(situation)
    check_readable(situation)
    check_additions(situation.spec.id, situation.observation)
    _check_reachable(situation)
    _check_data(situation)
    check_majority(situation, force=force)
    _check_masters(situation, force=force)


def check_anew(situation: Situation) -> None:
    """`check_deploy` where etcd's data is about to be replaced on every member: no majority has to be spared."""
    _check_providers(situation)
    _check_reachable(situation)


def check_service(situation: Situation, *, force: bool) -> None:
    """Raise UnsafePlan where too little would be left to serve while the instances of the repair are away."""
    check_majority(situation, force=force)
    _check_masters(situation, force=force)


def check_progress(plan: Plan, situation: Situation) -> None:
    """Raise Unavailable where nothing can be done although the cluster is not as wished for."""
    waiting = [
        *situation.membership.postponed,
        *(vm.instance for vm in _going(situation) if not may_leave(situation, vm)),
    ]
    if plan.is_empty and waiting:
        raise Unavailable(
            f"etcd of cluster {situation.spec.id} does not answer, so {_listed(waiting)} cannot join or leave it; "
            "see what kubo check says, or start its members again",
            retry_after=None,
        )


def _check_providers(situation: Situation) -> None:
    spec, problems = situation.spec, []
    if situation.abilities.runs_on_proxies and not spec.instances(Role.PROXY):
        problems.append(
            f"ingress {spec.ingress.provider!r} runs on machines of a proxy group and the spec has none; "
            "add an instance group with role proxy or choose another ingress"
        )
    wanting = [group.name for group in spec.instance_groups if group.persistent_disk_mb]
    if wanting and not situation.abilities.disks:
        problems.append(
            f"cpi {spec.cpi.provider!r} has no persistent disks and {', '.join(wanting)} asks for one; "
            "set persistent_disk_mb to 0 or choose another cpi"
        )
    if problems:
        raise ConfigError(problems)


def _check_data(situation: Situation) -> None:
    """A member whose data is to lie elsewhere would start empty, and stand in for one that has it."""
    for view in situation.of(Role.ETCD):
        has = view.disk is not None
        if view.is_serving and not situation.is_condemned(view) and has is not situation.wants_disk(view):
            raise UnsafePlan(
                f"{view.instance.id} of cluster {situation.spec.id} {'has a' if has else 'has no'} persistent disk and "
                f"is to have {'none' if has else 'one'}, so it must be replaced first: kubo up"
            )


def _check_names(situation: Situation) -> None:
    repair, there = situation.repair, [view.instance.id for view in situation.observation.instances]
    asked = (*repair.condemned, *repair.reboot, *(name for name, _ in repair.restart_units))
    for name in asked:
        if name not in there:
            raise NotFound(f"cluster {situation.spec.id} has no instance {name!r}; there are: {', '.join(there)}")


def _check_reachable(situation: Situation) -> None:
    """A machine that does not answer is not a machine that lacks something: nobody can tell."""
    silent = [view.instance.id for view in situation.views if _is_in_the_way(situation, view)]
    if silent:
        one = len(silent) == 1
        raise Unavailable(
            f"{_listed(silent)} of cluster {situation.spec.id} {'does' if one else 'do'} not answer; kubo check says "
            f"why, kubo heal repairs {'it' if one else 'them'} and kubo recreate {silent[0]} replaces "
            f"{'it' if one else 'one'}",
            retry_after=None,
        )


def _is_in_the_way(situation: Situation, view: InstanceView) -> bool:
    if situation.is_condemned(view) or situation.is_rebooted(view) or view.instance.id in situation.repair.reboot:
        return False
    return view.exists and not view.reachable


def _check_masters(situation: Situation, *, force: bool) -> None:
    views = [view for view in situation.observation.instances if view.instance.role is Role.MASTER]
    if not situation.observation.api_ready:
        return  # Nothing is served that could be lost.
    going = [view for view in views if _goes(situation, view) and view.is_serving]
    staying = [view for view in views if not _goes(situation, view) and view.is_serving]
    check_one_at_a_time(situation, going)
    if going and not staying and not force:
        raise UnsafePlan(
            f"{going[0].instance.id} is the only master of cluster {situation.spec.id} that serves, and without it "
            "there is no API; add a master first, or say that it may be away for a while: --force"
        )
    leaving = [vm.instance for vm in _going(situation) if role_of(vm) is Role.MASTER]
    if leaving and not staying and not situation.of(Role.MASTER):
        raise UnsafePlan(
            f"without {_listed(leaving)} cluster {situation.spec.id} would have no master that serves; "
            "bring one of the others back first: kubo heal"
        )


def _going(situation: Situation) -> tuple[Vm, ...]:
    return situation.observation.strangers if situation.takes_away else ()


def _goes(situation: Situation, view: InstanceView) -> bool:
    return situation.is_condemned(view) or view.instance.id in situation.repair.reboot


def check_one_at_a_time(situation: Situation, going: list[InstanceView]) -> None:
    """Raise UnsafePlan when more than one that serves would be away at the same time."""
    if len(going) > 1:
        raise UnsafePlan(
            f"{_listed(view.instance.id for view in going)} of cluster {situation.spec.id} all serve; "
            "replace them one after the other"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
