"""Answers: what everybody who was asked in one probe said, and the facts that follow for each instance."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import TypeVar

from attrs import field, frozen

from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.probe_script import VitalSigns
from kubo_sdk.planning.health import Fact, Source, Verdict
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.probe.judge import BOOTING, STARTING, bad, disk_fact, good, network_fact, units_fact, unknown
from kubo_sdk.probe.memory import trouble_of
from kubo_sdk.probe.questions import MemberAnswer
from kubo_sdk.steps.credentials import node_name

T = TypeVar("T")

# The source that a role has of its own.
OWN_SOURCE = {Role.MASTER: Source.API, Role.ETCD: Source.ETCD, Role.WORKER: Source.NODE}


@frozen(kw_only=True)
class MachineAnswer:
    """What one machine said when it was asked at ``seen``."""

    answer: Future[VitalSigns]
    seen: datetime


@frozen(kw_only=True)
class Answers:
    """By instance id.  Whoever is not in there was not asked, for the reason in ``unasked``.

    ``beats`` are the leases of the Nodes, where they were asked for; ``mute`` the Nodes whose kubelets renew none.

    ``nodes`` is None when no API server told them, for the reason in ``no_nodes``.  ``api_ready``: the API's endpoint
    told them itself.
    """

    machines: Mapping[str, MachineAnswer] = field(factory=dict)
    servers: Mapping[str, Future[tuple[str, ...]]] = field(factory=dict)
    members: Mapping[str, Future[MemberAnswer]] = field(factory=dict)
    nodes: tuple[NodeStatus, ...] | None = None
    beats: Mapping[str, str] = field(factory=dict)
    mute: Collection[str] = ()
    api_ready: bool = False
    no_nodes: str = ""
    unasked: str = ""


def facts(  # noqa: PLR0917 (one value of each kind)
    spec: ClusterSpec, instance: Instance, vm: Vm | None, machine: Fact, answers: Answers, now: datetime
) -> tuple[Fact, ...]:
    """Every fact of one instance, which *vm* fills.  *machine* is what the CPI says."""
    own = OWN_SOURCE.get(instance.role)
    others = [Source.SHELL, Source.NETWORK, Source.UNITS]
    others += [Source.DISK] if spec.group(instance.group).persistent_disk_mb else []
    others += [own] if own else []
    if vm is None or vm.state is VmState.STOPPED:
        why = f"machine {machine.word}" if vm else "no machine"
        return (machine, *(unknown(source, why, now) for source in others))
    found = [machine, *_inside(instance, vm, Source.DISK in others, answers, now)]
    if own:
        settled = all(fact.verdict is not Verdict.UNKNOWN for fact in found)
        said = _patient(_own(spec, instance, vm, answers, now), found, settled=settled)
        found.append(_doubted(said, found, node_name(spec, instance, vm.address), answers))
    return tuple(found)


def _inside(instance: Instance, vm: Vm, disk: bool, answers: Answers, now: datetime) -> list[Fact]:
    """What the machine itself says."""
    asked = answers.machines[instance.id]
    trouble = trouble_of(asked.answer)
    if trouble:
        starting = vm.state is VmState.STARTING
        shell = unknown(Source.SHELL, BOOTING, now) if starting else bad(Source.SHELL, f"silent: {trouble}", now)
        silent = [Source.NETWORK, Source.UNITS, *([Source.DISK] if disk else [])]
        return [shell, *(unknown(source, "shell silent", now) for source in silent)]
    signs = asked.answer.result()
    seen = asked.seen
    inside = [good(Source.SHELL, "answers", seen), network_fact(signs, seen), units_fact(signs, seen)]
    return [*inside, disk_fact(signs, asked.seen)] if disk else inside


def _patient(fact: Fact, found: list[Fact], *, settled: bool) -> Fact:
    """What a machine's daemons cannot do yet is not bad while systemd is still at it."""
    if settled or fact.verdict is not Verdict.BAD:
        return fact
    if any(other.source is Source.SHELL and other.verdict is Verdict.BAD for other in found):
        return fact
    booting = any(other.word == BOOTING for other in found)
    return unknown(fact.source, BOOTING if booting else STARTING, fact.seen)


def _doubted(fact: Fact, found: list[Fact], node: str, answers: Answers) -> Fact:
    """A Ready Node says nothing of a machine that is silent and whose kubelet is, too."""
    silent = any(other.source is Source.SHELL and other.verdict is Verdict.BAD for other in found)
    if fact.source is Source.NODE and fact.verdict is Verdict.GOOD and silent and node in answers.mute:
        return unknown(Source.NODE, f"{fact.word}, but its kubelet is silent", fact.seen)
    return fact


def _own(spec: ClusterSpec, instance: Instance, vm: Vm, answers: Answers, now: datetime) -> Fact:
    match instance.role:
        case Role.MASTER:
            return _server(answers.servers.get(instance.id), answers.unasked, now)
        case Role.ETCD:
            return _member(answers.members.get(instance.id), answers.unasked, now)
        case _:
            return _node(spec, instance, vm, answers, now)


def _server(answer: Future[tuple[str, ...]] | None, unasked: str, now: datetime) -> Fact:
    if answer is None:
        return unknown(Source.API, unasked, now)
    trouble = trouble_of(answer)
    if trouble:
        return bad(Source.API, f"silent: {trouble}", now)
    failed = answer.result()
    return bad(Source.API, f"not ready: {', '.join(failed)}", now, failed) if failed else good(Source.API, "ready", now)


def _member(answer: Future[MemberAnswer] | None, unasked: str, now: datetime) -> Fact:
    if answer is None:
        return unknown(Source.ETCD, unasked, now)
    trouble = trouble_of(answer)
    if trouble:
        return bad(Source.ETCD, f"silent: {trouble}", now)
    told = answer.result()
    alarms = tuple(kind for member, kind in told.alarms if member == told.status.member)
    word = ", ".join(alarms) or _illness(told)
    if word:
        return bad(Source.ETCD, word, now, alarms)
    role = "learner" if told.status.learner else "leader" if told.status.leader == told.status.member else ""
    return good(Source.ETCD, f"healthy, {role}" if role else "healthy", now)


def _illness(told: MemberAnswer) -> str:
    """What is wrong with a member that has no alarm of its own; empty when it is well."""
    if not told.status.leader:
        return "no leader"
    if told.members and all(member.id != told.status.member for member in told.members):
        return "removed from its cluster"
    return "" if told.healthy else "unhealthy"


def _node(spec: ClusterSpec, instance: Instance, vm: Vm, answers: Answers, now: datetime) -> Fact:
    if answers.nodes is None:
        return unknown(Source.NODE, f"the API is silent: {answers.no_nodes}" if answers.no_nodes else "unknown", now)
    name = node_name(spec, instance, vm.address)
    node = next((node for node in answers.nodes if node.name == name), None)
    if node is None:
        return bad(Source.NODE, "missing", now)
    if (node.instance, node.provider_id) != (instance.slug, vm.provider_id):
        return bad(Source.NODE, "another machine's", now, (name,))
    if not node.ready:
        return bad(Source.NODE, f"not Ready: {node.reason}", now)
    return good(Source.NODE, "Ready, cordoned" if node.unschedulable else "Ready", now)
