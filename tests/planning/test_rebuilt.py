"""The spec of a cluster, worked out from its tags and the flags of its units."""

from __future__ import annotations

import pytest

from kubo_sdk.config import from_mapping
from kubo_sdk.model.instance import ClusterId, Role
from kubo_sdk.planning.rebuilt import Remains, rebuilt_spec
from kubo_sdk.ports.cpi import Disk, Vm, VmState

CLUSTER = ClusterId(director="kubo", name="lost")
APISERVER = """\
ExecStart=/opt/kubo/releases/1.21.5-upstream-0123/bin/kube-apiserver \\
  --secure-port=6443 --service-cluster-ip-range=10.7.0.0/24 "--service-node-port-range=31000-31999"
"""


def vm(instance: str, az: str = "z1", role: Role | None = None) -> Vm:
    group = instance.rpartition("/")[0]
    return Vm(
        id=instance,
        cluster=CLUSTER,
        instance=instance,
        token=instance,
        state=VmState.RUNNING,
        address="10.0.0.1",
        az=az,
        provider_id=instance,
        tags=(("role", str(role or group)), ("kubernetes", "1.20.2")),
    )


def disk(instance: str, size_mb: int) -> Disk:
    return Disk(id=instance, cluster=CLUSTER, instance=instance, token=instance, size_mb=size_mb)


MACHINES = (vm("etcd/0"), vm("master/0"), vm("pool/0", "a", Role.WORKER), vm("pool/2", "a", Role.WORKER))


def test_groups_have_the_roles_disks_and_numbers_that_the_tags_tell() -> None:
    spec = from_mapping(rebuilt_spec(CLUSTER, Remains(vms=MACHINES, disks=(disk("etcd/0", 512),))))
    told = [(group.name, group.role, group.instances, group.persistent_disk_mb) for group in spec.instance_groups]
    assert told == [("etcd", Role.ETCD, 1, 512), ("master", Role.MASTER, 1, 0), ("pool", Role.WORKER, 3, 0)]
    assert spec.id == CLUSTER


@pytest.mark.parametrize("azs", [("a",), ("a", "b"), ("a", "b", "c")])
def test_zones_are_those_that_put_every_instance_where_it_is(azs: tuple[str, ...]) -> None:
    vms = (*MACHINES[:2], *(vm(f"worker/{index}", azs[index % len(azs)]) for index in range(6)))
    group = from_mapping(rebuilt_spec(CLUSTER, Remains(vms=vms))).group("worker")
    assert [instance.az for instance in group.members()] == [azs[index % len(azs)] for index in range(6)]


def test_a_lost_machine_leaves_a_gap_that_the_others_zones_fill() -> None:
    group = from_mapping(rebuilt_spec(CLUSTER, Remains(vms=MACHINES))).group("pool")
    assert [instance.az for instance in group.members()] == ["a", "a", "a"]


def test_the_flags_of_the_api_server_tell_version_source_port_and_networks() -> None:
    remains = Remains(
        vms=MACHINES, units={"kube-apiserver": APISERVER}, hostnames=("kubernetes", "api.lost.example.org")
    )
    spec = from_mapping(rebuilt_spec(CLUSTER, remains))
    assert (str(spec.kubernetes.version), spec.kubernetes.source.provider) == ("1.21.5", "upstream")
    assert (spec.kubernetes.api_port, str(spec.network.services)) == (6443, "10.7.0.0/24")
    assert (spec.network.node_ports, spec.zone) == ((31000, 31999), "example.org")


def test_without_a_unit_the_tags_tell_the_version() -> None:
    assert rebuilt_spec(CLUSTER, Remains(vms=MACHINES))["kubernetes"] == {"version": "1.20.2"}
