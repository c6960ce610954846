"""Diagnoses what is wrong with a cluster: from facts to problems, causes before symptoms.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.health import Fact, HealthReport, InstanceHealth, Source, Verdict
from kubo_sdk.planning.leftovers import is_node_of, leftovers
from kubo_sdk.planning.problems import RUNGS, Evidence, Problem, ProblemType
from kubo_sdk.planning.quorum import has_quorum, quorum
from kubo_sdk.planning.reach import front_of, is_cut_off, is_endpoint_dead
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.planning.rotation import AUTHORITIES
from kubo_sdk.ports.cpi import Disk, VmState

CORRUPT = "CORRUPT"
FULL = "full"
SILENT = "silent"
DEAF = "does not answer"

ETCD_UNITS = ("etcd.service",)
API_UNITS = ("kube-apiserver.service",)
NODE_UNITS = ("containerd.service", "kubelet.service")


def diagnose(report: HealthReport, spec: ClusterSpec) -> tuple[Problem, ...]:
    """What is wrong, in the order of the spec; what concerns the whole cluster comes last.

    A problem of a machine hides what follows from it: its units, its etcd member, its Node.  Lost quorum hides that the
    API servers are stuck, and a problem of its proxy that the endpoint is dead.  Instances that were stopped on purpose
    have no problems.
    """
    found = [
        problem
        for health in report.instances
        if health.instance.id not in report.stopped
        for problem in _instance(report, spec, health)
    ]
    ill = {problem.instance for problem in found}
    return (*found, *_endpoint(report, ill), *_quorum(report), *leftovers(report), *_certificates(report, spec))


def lost_quorum(report: HealthReport) -> bool:
    """Whether etcd cannot agree on anything now.  A cluster that was never made has none to lose."""
    if report.members is not None and has_quorum(report.members):
        return False
    etcd = [health for health in report.instances if health.instance.role is Role.ETCD]
    serving = sum(health.says(Source.ETCD, Verdict.GOOD) for health in etcd)
    return any(health.vm for health in etcd) and serving < quorum(len(etcd))


def _instance(report: HealthReport, spec: ClusterSpec, health: InstanceHealth) -> Iterator[Problem]:
    """The first layer where something is wrong tells; what lies above it can only follow."""
    problems = (_machine(spec, health), _network(report, health), _disk(spec, health))
    for problem in problems:
        if problem is not None:
            yield problem
            return
    units = health.fact(Source.UNITS)
    if units is not None and units.verdict is Verdict.BAD:
        yield _units(health, units)
    elif units is None or units.verdict is Verdict.GOOD:
        yield from _service(report, health)


def _machine(spec: ClusterSpec, health: InstanceHealth) -> Problem | None:
    instance, vm = health.instance, health.vm
    wants_disk = spec.group(instance.group).persistent_disk_mb > 0
    if vm is None:
        gone = "its machine is gone" if health.disk or not wants_disk else "its machine and its disk are gone"
        return _about(health, ProblemType.MISSING_VM, gone)
    if vm.state is VmState.STOPPED:
        return _about(health, ProblemType.STOPPED_VM, f"its machine {vm.id} is off")
    if health.says(Source.SHELL, Verdict.BAD):
        word = _word(health, Source.SHELL)
        return _about(health, ProblemType.UNRESPONSIVE_MACHINE, f"its machine {vm.id} does not answer: {word}")
    if health.says(Source.MACHINE, Verdict.BAD):
        word = _word(health, Source.MACHINE)
        return _about(health, ProblemType.UNRESPONSIVE_MACHINE, f"its machine {vm.id} is {word}")
    return None


def _network(report: HealthReport, health: InstanceHealth) -> Problem | None:
    if not is_cut_off(report, health):
        return None
    sentence = f"its machine {_word(health, Source.NETWORK)}, which others do"
    return _about(health, ProblemType.CUT_OFF_MACHINE, sentence)


def _disk(_spec: ClusterSpec, health: InstanceHealth) -> Problem | None:
    fact, vm, disk = health.fact(Source.DISK), health.vm, health.disk
    if fact is None or vm is None or vm.state is VmState.STARTING:
        return None
    if disk is None:
        return _about(health, ProblemType.MISSING_DISK, "its persistent disk is gone")
    if disk.attached_to is None:
        return _about(health, ProblemType.INACTIVE_DISK, f"its disk {disk.id} is attached to no machine")
    if disk.attached_to != vm.id:
        sentence = f"its disk {disk.id} is attached to {disk.attached_to}; detach it there"
        return _about(health, ProblemType.INACTIVE_DISK, sentence, rungs=())
    return _mount(health, fact, disk) if fact.verdict is Verdict.BAD else None


def _mount(health: InstanceHealth, fact: Fact, disk: Disk) -> Problem:
    if fact.word == FULL:
        return _about(health, ProblemType.FULL_DISK, f"its disk {disk.id} is full; make room on it, or a larger one")
    return _about(health, ProblemType.MOUNT_MISMATCH, f"its disk {disk.id} is {fact.word}", details=fact.details)


def _units(health: InstanceHealth, fact: Fact) -> Problem:
    """Without the name of a unit, it is the whole machine that has not come up, or that carries nothing yet."""
    if fact.details:
        sentence = f"units do not run: {fact.word}"
        is_member = health.instance.role is Role.ETCD and ETCD_UNITS[0] in fact.details
        rungs = RUNGS[ProblemType.ETCD_MEMBER_DOWN if is_member else ProblemType.FAILED_UNIT]
        return _about(health, ProblemType.FAILED_UNIT, sentence, details=fact.details, rungs=rungs)
    kind = ProblemType.UNRESPONSIVE_MACHINE if "boot" in fact.word else ProblemType.UNCONFIGURED_MACHINE
    return _about(health, kind, f"its machine is {fact.word}")


def _service(report: HealthReport, health: InstanceHealth) -> Iterator[Problem]:
    if health.instance.role is Role.ETCD:
        yield from _member(report, health)
    elif health.instance.role is Role.MASTER:
        if health.says(Source.API, Verdict.BAD) and not lost_quorum(report):
            sentence = f"its API server does not serve: {_word(health, Source.API)}"
            yield _about(health, ProblemType.API_SERVER_STUCK, sentence, details=API_UNITS)
    elif health.instance.role is Role.WORKER and report.api_ready and not health.says(Source.NETWORK, Verdict.BAD):
        yield from _node(report, health)


def _member(report: HealthReport, health: InstanceHealth) -> Iterator[Problem]:
    member = next((each for each in report.members or () if each.name == health.instance.slug), None)
    if member is not None and CORRUPT in member.alarms:
        sentence = "its etcd member found its data corrupt"
        yield _about(health, ProblemType.ETCD_MEMBER_CORRUPT, sentence, details=(f"{member.id:x}",))
    elif member is not None and member.alarms:
        sentence = (
            f"its etcd member raised {', '.join(member.alarms)}; compact and defragment it, then disarm the alarm"
        )
        yield _about(health, ProblemType.ETCD_ALARM, sentence, details=member.alarms)
    elif health.says(Source.ETCD, Verdict.BAD) and not _waits_for_others(report):
        sentence = f"its etcd member does not serve: {_word(health, Source.ETCD)}"
        yield _about(health, ProblemType.ETCD_MEMBER_DOWN, sentence, details=ETCD_UNITS)


def _waits_for_others(report: HealthReport) -> bool:
    """Whether a member that runs only lacks the majority, because others do not even run, or are cut off."""
    etcd = [each for each in report.instances if each.instance.role is Role.ETCD]
    return lost_quorum(report) and any(
        not each.says(Source.UNITS, Verdict.GOOD) or is_cut_off(report, each) for each in etcd
    )


def _node(report: HealthReport, health: InstanceHealth) -> Iterator[Problem]:
    if report.nodes is None or not health.says(Source.NODE, Verdict.BAD):
        return
    if any(is_node_of(node, health) for node in report.nodes):
        sentence = f"its Node is not ready: {_word(health, Source.NODE)}"
        yield _about(health, ProblemType.NODE_NOT_READY, sentence, details=NODE_UNITS)
    else:
        sentence = "its machine runs and has no Node"
        yield _about(health, ProblemType.MACHINE_WITHOUT_NODE, sentence, details=NODE_UNITS)


def _endpoint(report: HealthReport, ill: Collection[str]) -> Iterator[Problem]:
    """What stands before ready API servers.  Where that is no machine of the cluster, only a person can help."""
    if lost_quorum(report) or not is_endpoint_dead(report):
        return
    front = front_of(report)
    proxies = (health for health in report.instances if health.instance.role is Role.PROXY)
    sentence = f"nobody reaches the API by {report.endpoint}, while its servers are ready"
    if front is None and not any(health.instance.id in ill for health in proxies):
        kind = ProblemType.ENDPOINT_UNREACHABLE
        yield Problem(type=kind, subject=report.endpoint, sentence=sentence, rungs=(), evidence=Evidence.STUCK)
    elif (
        front is not None
        and front.instance.id not in (*ill, *report.stopped)
        and front.says(Source.UNITS, Verdict.GOOD)
    ):
        yield _about(front, ProblemType.ENDPOINT_UNREACHABLE, sentence)


def _quorum(report: HealthReport) -> Iterator[Problem]:
    if lost_quorum(report):
        down = [
            health.instance.id
            for health in report.instances
            if health.instance.role is Role.ETCD and not health.says(Source.ETCD, Verdict.GOOD)
        ]
        sentence = f"etcd has lost its quorum: {', '.join(down)} do not serve, and the API can change nothing"
        yield Problem(type=ProblemType.QUORUM_LOST, subject="etcd", sentence=sentence, details=tuple(down))


def _certificates(report: HealthReport, spec: ClusterSpec) -> Iterator[Problem]:
    """Those that ended, or can be renewed and are due.  An authority is told of as early, and renewed by nobody."""
    due, early = dict(report.renewals), timedelta(days=spec.health.renew_days)
    for leaf, end in report.expiries:
        told = due.get(leaf, end - early if leaf in AUTHORITIES else end)
        if told <= report.at:
            ended = "ended" if end <= report.at else "ends"
            remedy = f"; run: kubo rotate {leaf}" if leaf in AUTHORITIES else ""
            yield Problem(
                type=ProblemType.EXPIRED_CERTIFICATE,
                subject=leaf,
                sentence=f"the certificate {leaf} {ended} on {end:%Y-%m-%d %H:%M}{remedy}",
                details=(leaf,),
                rungs=(Resolution.RENEW,) if leaf in due else (),
            )


def _word(health: InstanceHealth, source: Source) -> str:
    fact = health.fact(source)
    return fact.word if fact is not None else ""


def _about(
    health: InstanceHealth,
    kind: ProblemType,
    sentence: str,
    *,
    details: tuple[str, ...] = (),
    rungs: tuple[Resolution, ...] | None = None,
) -> Problem:
    """A problem of one instance.  etcd's data is the member: without its disk, a machine made anew comes back empty."""
    rungs = RUNGS.get(kind, ()) if rungs is None else rungs
    lost = kind is ProblemType.ETCD_MEMBER_CORRUPT
    if health.instance.role is Role.ETCD and health.disk is None:
        lost = health.vm is None or kind is ProblemType.MISSING_DISK
        rungs = _keeping_members(rungs, lost=lost)
    return Problem(
        type=kind,
        subject=health.instance.id,
        instance=health.instance.id,
        sentence=f"{health.instance.id}: {sentence}",
        details=details,
        rungs=rungs,
        loses_nothing=lost,
        evidence=_evidence(health, kind),
    )


def _evidence(health: InstanceHealth, kind: ProblemType) -> Evidence:
    """Who is only silent may have too much to do, or may be out of our sight alone."""
    if kind in (ProblemType.CUT_OFF_MACHINE, ProblemType.ENDPOINT_UNREACHABLE) or _is_deaf(health, kind):
        return Evidence.STUCK
    source = {
        ProblemType.UNRESPONSIVE_MACHINE: Source.SHELL,
        ProblemType.API_SERVER_STUCK: Source.API,
        ProblemType.ETCD_MEMBER_DOWN: Source.ETCD,
    }.get(kind)
    if source is None or not _word(health, source).startswith(SILENT):
        return Evidence.TOLD
    if source is not Source.SHELL:
        return Evidence.STUCK
    own = (Source.API, Source.ETCD, Source.NODE)
    return Evidence.SERVES if any(health.says(each, Verdict.GOOD) for each in own) else Evidence.SILENT


def _is_deaf(health: InstanceHealth, kind: ProblemType) -> bool:
    """Whether nothing is known of units but that they do not answer."""
    return kind is ProblemType.FAILED_UNIT and all(
        word.endswith(DEAF) for word in _word(health, Source.UNITS).split(", ")
    )


def _keeping_members(rungs: tuple[Resolution, ...], *, lost: bool) -> tuple[Resolution, ...]:
    if lost:
        return (Resolution.RECREATE_EMPTY,)
    empty = Resolution.RECREATE_EMPTY
    return tuple(dict.fromkeys(empty if rung is Resolution.RECREATE else rung for rung in rungs))
