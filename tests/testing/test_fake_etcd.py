"""Fake etcd members: real listeners with the pushed certificates, one state, and etcd's rules about quorum."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.errors import AuthError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.testing.fakes import FakeCloud, sized

from .bench import Bench, bench

MEMBERS = ("etcd/0", "etcd/1", "etcd/2")


def test_what_one_member_is_told_the_others_know(deployed: Bench) -> None:
    deployed.etcd("etcd/0").put("/a", b"1")
    found = deployed.etcd("etcd/2").get("/a")
    assert found is not None
    assert found.value == b"1"
    assert [each.key for each in deployed.etcd("etcd/1").list("/")] == ["/a", "/fake/network/config"]


def test_a_transaction_of_an_old_revision_is_refused(deployed: Bench) -> None:
    etcd = deployed.etcd("etcd/0")
    assert etcd.compare_and_put("/a", b"1", mod_revision=0)
    assert not etcd.compare_and_put("/a", b"2", mod_revision=0)
    found = etcd.get("/a")
    assert found is not None
    assert etcd.compare_and_put("/a", b"2", mod_revision=found.mod_revision)


def test_the_keys_of_a_lease_die_with_it(deployed: Bench) -> None:
    etcd, clock = deployed.etcd("etcd/0"), deployed.cloud.clock
    lease = etcd.grant_lease(10)
    etcd.put("/a", b"1", lease=lease.id)
    clock.advance(9)
    assert etcd.keep_lease(lease.id) == 10
    clock.advance(9)
    assert etcd.get("/a") is not None
    clock.advance(2)
    assert etcd.get("/a") is None
    assert etcd.keep_lease(lease.id) == 0


def test_a_client_without_a_certificate_of_the_cluster_is_refused(deployed: Bench) -> None:
    stranger = EtcdClient(deployed.https("admin", (deployed.machine("etcd/0").address, 2379)))
    with pytest.raises(AuthError):
        stranger.healthy(deployed.machine("etcd/0").address)


def test_who_has_not_signed_in_reads_nothing(deployed: Bench) -> None:
    address = deployed.machine("etcd/0").address
    nobody = EtcdClient(deployed.https("director-etcd", (address, 2379)))
    assert nobody.healthy(address)
    with pytest.raises(AuthError):
        nobody.get("/a")
    assert nobody.accepts("root", Secret("wrong")) is False


def test_one_member_may_go_and_two_may_not(deployed: Bench) -> None:
    etcd = deployed.etcd(*MEMBERS)
    deployed.machine("etcd/0").power_off()
    etcd.put("/a", b"1")
    deployed.machine("etcd/1").stop_unit("etcd")
    with pytest.raises(Unavailable, match="no leader"):
        etcd.put("/a", b"2")
    assert not etcd.healthy(deployed.machine("etcd/2").address)
    assert len(etcd.members()) == 3
    deployed.machine("etcd/0").power_on()
    deployed.cloud.clock.advance(10)
    found = etcd.get("/a")
    assert found is not None
    assert found.value == b"1"


def test_a_member_cut_off_does_not_count(deployed: Bench) -> None:
    for member in MEMBERS[:2]:
        deployed.machine(member).cut_off()
    assert not deployed.etcd("etcd/2").healthy(deployed.machine("etcd/2").address)
    deployed.machine("etcd/0").reconnect()
    assert deployed.etcd("etcd/2").healthy(deployed.machine("etcd/2").address)


def test_the_leader_stays_until_it_goes_or_hands_over(deployed: Bench) -> None:
    etcd = deployed.etcd(*MEMBERS)
    hosts = {member: deployed.machine(member).address for member in MEMBERS}
    ids = {member: etcd.status(hosts[member]).member for member in MEMBERS}
    leader = next(member for member in MEMBERS if ids[member] == etcd.status(hosts["etcd/0"]).leader)
    heir, other = (member for member in MEMBERS if member != leader)
    etcd.hand_over(hosts[leader], ids[heir])
    assert etcd.status(hosts[other]).leader == ids[heir]
    deployed.machine(heir).power_off()
    assert etcd.status(hosts[other]).leader not in (0, ids[heir])


def test_a_member_that_comes_back_empty_is_refused(deployed: Bench) -> None:
    machine = deployed.machine("etcd/0")
    disk = deployed.cloud.disks["etcd/0"]
    machine.stop_unit("etcd")
    disk.content.clear()
    machine.start("etcd")
    assert machine.unit_state("etcd") == "activating"
    assert "already been bootstrapped" in machine.unit("etcd").reason
    assert deployed.etcd("etcd/1").healthy(deployed.machine("etcd/1").address)


def test_a_removed_member_does_not_start_again(deployed: Bench) -> None:
    etcd = deployed.etcd("etcd/1", "etcd/2")
    gone = next(member for member in etcd.members() if member.name == "etcd-0")
    etcd.membership.remove(gone.id)
    machine = deployed.machine("etcd/0")
    machine.restart("etcd")
    assert "permanently removed" in machine.unit("etcd").reason
    with pytest.raises(NotFound):
        etcd.membership.promote(gone.id)


def test_a_change_of_members_that_would_cost_the_quorum_is_refused(deployed: Bench) -> None:
    etcd = deployed.etcd("etcd/1", "etcd/2")
    deployed.machine("etcd/0").power_off()
    healthy = next(member for member in etcd.members() if member.name == "etcd-1")
    with pytest.raises(Unavailable, match="unhealthy cluster"):
        etcd.membership.remove(healthy.id)


def test_a_member_whose_disk_is_full_ends_until_there_is_room(deployed: Bench) -> None:
    machine = deployed.machine("etcd/0")
    machine.fill_disk()
    assert machine.unit_state("etcd") == "activating"
    with pytest.raises(ProviderError):
        deployed.etcd("etcd/0").get("/a")
    machine.free_disk()
    deployed.cloud.clock.advance(1)
    assert machine.unit_state("etcd") == "active"


def test_the_api_dies_with_the_quorum_and_its_objects_with_the_data(deployed: Bench, cloud: FakeCloud) -> None:
    api = deployed.api("master/0")
    for member in MEMBERS[:2]:
        deployed.machine(member).power_off()
    assert not api.ready()
    for member in MEMBERS:
        deployed.machine(member).lose_disk()
    assert api.ready() is False
    assert [unit for unit in MEMBERS if cloud.machines[unit].unit_state("etcd") == "active"] == []


def test_a_cluster_of_one_grows_to_five_and_shrinks_again(cloud: FakeCloud, tmp_path: Path) -> None:
    for size in (1, 3, 5, 3, 1):
        site = bench(tmp_path, cloud, instance_groups=sized(etcd=size))
        site.cluster.deploy()
        assert len(site.etcd("etcd/0").members()) == size
        assert site.cluster.status().healthy
