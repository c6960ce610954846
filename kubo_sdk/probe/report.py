"""Puts together what was asked and what was answered."""

from __future__ import annotations

from datetime import datetime

from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.model.instance import Instance
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.health import HealthReport, InstanceHealth, NodeView
from kubo_sdk.probe.answers import Answers, facts
from kubo_sdk.probe.ground import Ground
from kubo_sdk.probe.judge import machine_fact
from kubo_sdk.probe.members import member_views
from kubo_sdk.probe.memory import trouble_of
from kubo_sdk.steps.endpoints import API


def make_report(spec: ClusterSpec, ground: Ground, answers: Answers, now: datetime) -> HealthReport:
    """The report of one probe.  What the CPI says may be older than *now*."""
    wished = {instance.id for instance in spec.instances()}
    keys, endpoint = ground.keys.value, ground.endpoints.value.get(API)
    disks = {disk.instance: disk for disk in ground.disks.value}

    def health(instance: Instance) -> InstanceHealth:
        vm = ground.vms.value.get(instance.id)
        said = machine_fact(vm, ground.vms.at or now)
        found = facts(spec, instance, vm, said, answers, now)
        return InstanceHealth(instance=instance, vm=vm, disk=disks.get(instance.id), facts=found)

    return HealthReport(
        at=now,
        instances=tuple(map(health, spec.instances())),
        strangers=tuple(vm for vm in ground.vms.value.values() if vm.instance not in wished),
        stray_disks=tuple(disk for disk in disks.values() if disk.instance not in wished),
        api_ready=answers.api_ready,
        members=member_views([answer.result() for answer in answers.members.values() if not trouble_of(answer)]),
        nodes=None if answers.nodes is None else tuple(map(node_view, answers.nodes)),
        expiries=keys.expiries,
        renewals=keys.renewals,
        endpoint=f"{endpoint.host}:{endpoint.port}" if endpoint else "",
        # Half a restore, or recovery, is nothing to repair: whoever began it finishes it.
        cluster_paused=keys.notes.cluster_paused or keys.notes.restoring is not None or bool(keys.notes.recovering),
        paused=keys.notes.paused,
        stopped=keys.notes.stopped,
        rotating=tuple(leaf for leaf, _ in keys.notes.rotating),
    )


def node_view(node: NodeStatus) -> NodeView:
    """What planning keeps of a Node."""
    return NodeView(
        name=node.name,
        instance=node.instance,
        ready=node.ready,
        reason=node.reason,
        provider_id=node.provider_id,
        unschedulable=node.unschedulable,
    )
