"""Leftovers: members, Nodes, machines and disks that no instance of the spec owns, or no longer owns.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.health import HealthReport, InstanceHealth, NodeView
from kubo_sdk.planning.membership import slug_in, slug_of_instance
from kubo_sdk.planning.problems import Problem, ProblemType


def leftovers(report: HealthReport) -> Iterator[Problem]:
    """What somebody, or a machine that was lost, left behind."""
    yield from _members(report)
    yield from _nodes(report)
    yield from _strays(report)


def is_node_of(node: NodeView, health: InstanceHealth) -> bool:
    """A Node belongs to a machine by its provider id; one that has told none yet, by its instance."""
    provider_id = health.vm.provider_id if health.vm else ""
    return node.instance == health.instance.slug and node.provider_id in ("", provider_id)


def _members(report: HealthReport) -> Iterator[Problem]:
    """Members whose instance the spec does not list, and that no machine of a former instance runs any more."""
    wished = {health.instance.slug for health in report.instances}
    running = {slug_of_instance(vm.instance) for vm in report.strangers}
    for member in report.members or ():
        slug = slug_in(member)
        if slug in wished or slug in running:
            continue
        name = slug or f"{member.id:x}"
        sentence = f"etcd lists the member {name}, which no instance of the spec is"
        yield Problem(
            type=ProblemType.ETCD_MEMBER_WITHOUT_MACHINE,
            subject=name,
            sentence=sentence,
            details=(f"{member.id:x}", slug),
        )


def _nodes(report: HealthReport) -> Iterator[Problem]:
    """Nodes that a lost machine left behind.  The Node of a machine that is gone goes when the machine comes anew."""
    workers = {health.instance.slug: health for health in report.instances if health.instance.role is Role.WORKER}
    for node in report.nodes or ():
        owner = workers.get(node.instance)
        missing = owner is not None and (owner.vm is None or is_node_of(node, owner))
        if not node.instance or missing or (owner is not None and owner.instance.id in report.stopped):
            continue
        sentence = f"the Node {node.name} of {node.instance} belongs to no machine: {node.provider_id or 'no id'}"
        yield Problem(
            type=ProblemType.NODE_WITHOUT_MACHINE,
            subject=node.name,
            instance=owner.instance.id if owner else "",
            sentence=sentence,
            details=(node.name, node.instance),
        )


def _strays(report: HealthReport) -> Iterator[Problem]:
    for vm in report.strangers:
        sentence = f"the machine {vm.id} fills {vm.instance}, which the spec does not list; kubo up takes it away"
        yield Problem(type=ProblemType.STRAY_VM, subject=vm.id, sentence=sentence, details=(vm.id,))
    for disk in report.stray_disks:
        sentence = f"the disk {disk.id} belongs to {disk.instance}, which the spec does not list"
        yield Problem(type=ProblemType.STRAY_DISK, subject=disk.id, sentence=sentence, details=(disk.id,))
