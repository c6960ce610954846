"""Whole clusters on the fake cloud: deployed, planned again, broken, deleted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kubo_sdk.errors import DeployFailed, NotFound, QuotaExceeded
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.planning.plan import Verb
from kubo_sdk.ports.cpi import VmRequest, VmState
from kubo_sdk.testing.fakes import FakeCloud, sized
from kubo_sdk.testing.fakes.cpi import FakeCpi

from .bench import Bench, bench


def test_a_cluster_is_deployed_and_is_as_wished_then(deployed: Bench) -> None:
    assert deployed.cluster.plan().steps == ()
    status = deployed.cluster.status()
    assert status.healthy, status.verdict
    assert len(deployed.cloud.machines) == 9
    assert sorted(deployed.cloud.disks) == ["etcd/0", "etcd/1", "etcd/2"]


def test_deleting_leaves_nothing(deployed: Bench) -> None:
    cloud = deployed.cloud
    deployed.cluster.delete()
    assert (dict(cloud.machines), dict(cloud.disks), cloud.store.find("/")) == ({}, {}, ())
    site = cloud.site(deployed.spec.id)
    assert (site.records, site.balancers, cloud.prepared) == ({}, {}, set())


def test_a_closed_cloud_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with FakeCloud() as cloud:
        bench(tmp_path, cloud).cluster.deploy()
    assert not [thread for thread in threading.enumerate() if thread not in before and "fake" in thread.name]


def test_two_clouds_live_in_one_process(tmp_path: Path) -> None:
    with FakeCloud() as first, FakeCloud() as second:
        one, two = bench(tmp_path / "one", first), bench(tmp_path / "two", second)
        one.cluster.deploy()
        assert not second.machines
        two.cluster.deploy()
        one.cluster.delete()
        assert two.cluster.status().healthy
        assert two.cluster.plan().steps == ()


def test_two_clusters_live_in_one_cloud(cloud: FakeCloud, tmp_path: Path) -> None:
    one, two = bench(tmp_path / "one", cloud, name="one"), bench(tmp_path / "two", cloud, name="two")
    one.cluster.deploy()
    two.cluster.deploy()
    one.cluster.delete()
    assert set(cloud.machines_of(two.spec.id)) == {instance.id for instance in two.spec.instances()}
    assert two.cluster.status().healthy


def test_built_in_haproxy_works_on_a_fake_proxy(cloud: FakeCloud, tmp_path: Path) -> None:
    site = bench(tmp_path, cloud, ingress=ProviderChoice(provider="haproxy"))
    site.cluster.deploy()
    assert site.cluster.status().healthy
    assert site.cluster.status().endpoint == f"https://{site.machine('proxy/0').address}:8443"
    site.machine("proxy/0").fail_unit("kubo-haproxy")
    assert not site.cluster.status().healthy


def test_a_cloud_without_shared_trees_gets_the_release_sent(tmp_path: Path) -> None:
    with FakeCloud(shares_trees=False) as cloud:
        site = bench(tmp_path, cloud)
        site.cluster.deploy()
        release = str(site.cluster.release().node_path)
        assert all(release in machine.trees for machine in cloud.machines.values())


def test_an_overlay_that_wants_pod_cidrs_gets_one_for_each_node(tmp_path: Path) -> None:
    with FakeCloud(node_cidrs=True) as cloud:
        site = bench(tmp_path, cloud)
        site.cluster.deploy()
        assert len({node.pod_cidr for node in site.api("master/0").nodes()}) == 3


def test_booting_costs_virtual_time_only(tmp_path: Path) -> None:
    with FakeCloud(boot_seconds=90, jitter=20, seed=7) as cloud:
        site = bench(tmp_path, cloud)
        site.cluster.deploy()
        assert cloud.clock.time > 90
        assert len({machine.booted_at - machine.made_at for machine in cloud.machines.values()}) == 9


def test_a_zone_that_is_lost_takes_its_machines_and_makes_no_new_ones(tmp_path: Path) -> None:
    with FakeCloud(zones=("z1", "z2", "z3")) as cloud:
        site = bench(tmp_path, cloud, instance_groups=sized(azs=("z1", "z2", "z3")))
        site.cluster.deploy()
        cloud.lose_az("z2")
        off = {name for name, machine in cloud.machines.items() if machine.power is VmState.STOPPED}
        assert off == {"etcd/1", "master/1", "worker/1"}
        assert not site.cluster.status().healthy
        with pytest.raises(DeployFailed, match="zone z2"):
            site.cluster.deploy()
        cloud.restore_az("z2")
        site.cluster.deploy()
        assert site.cluster.status().healthy


def test_a_zone_there_is_not_is_not_found(tmp_path: Path) -> None:
    with FakeCloud(zones=("z1",)) as cloud:
        instance = Instance(group="worker", index=0, role=Role.WORKER, az="z9")
        with pytest.raises(NotFound, match="z9"):
            FakeCpi(cloud).create_vm(VmRequest(cluster=bench(tmp_path, cloud).spec.id, instance=instance, token="t"))


def test_the_quota_is_obeyed_and_more_of_it_lets_a_deploy_go_on(tmp_path: Path) -> None:
    with FakeCloud(quota=5) as cloud:
        site = bench(tmp_path, cloud)
        with pytest.raises(DeployFailed) as failed:
            site.cluster.deploy()
        assert {type(error) for _, error in failed.value.failures} == {QuotaExceeded}
        assert len(cloud.machines) == 5
        cloud.quota = 9
        cloud.clock.advance(10)
        site.cluster.deploy()
        assert site.cluster.status().healthy


def test_a_list_shows_what_was_done_only_after_the_lag(tmp_path: Path) -> None:
    with FakeCloud(lag=10) as cloud:
        cpi, site = FakeCpi(cloud), bench(tmp_path, cloud)
        instance = Instance(group="worker", index=0, role=Role.WORKER, az="z1")
        made = cpi.create_vm(VmRequest(cluster=site.spec.id, instance=instance, token="t"))
        assert cpi.list_vms(site.spec.id) == ()
        cloud.clock.advance(10)
        assert cpi.list_vms(site.spec.id) == (made,)
        cpi.delete_vm(made.id)
        assert [vm.id for vm in cpi.list_vms(site.spec.id)] == [made.id]
        cloud.clock.advance(10)
        assert cpi.list_vms(site.spec.id) == ()


def test_everything_comes_back_after_a_power_cycle(deployed: Bench) -> None:
    before = {node.name for node in deployed.api("master/0").nodes()}
    deployed.cloud.power_cycle_all()
    assert not deployed.cluster.status().healthy
    deployed.cloud.clock.advance(30)
    assert deployed.cluster.status().healthy, deployed.cluster.status().verdict
    assert {node.name for node in deployed.api("master/0").nodes()} == before


def test_a_killed_worker_is_made_anew(deployed: Bench) -> None:
    old = deployed.machine("worker/1")
    old.kill()
    plan = deployed.cluster.plan()
    assert [step.instance for step in plan.steps if step.verb is Verb.CREATE_VM] == ["worker/1"]
    deployed.cluster.deploy()
    assert deployed.machine("worker/1").address != old.address
    assert deployed.cluster.status().healthy
    assert deployed.cluster.plan().steps == ()


@pytest.mark.parametrize("breaking", ["hang", "cut_off", "power_off"])
def test_a_machine_that_cannot_be_entered_is_unhealthy_and_costs_little_time(deployed: Bench, breaking: str) -> None:
    getattr(deployed.machine("worker/2"), breaking)()
    status = deployed.cluster.status()
    assert [each.instance for each in status.instances if not each.healthy] == ["worker/2"]


def test_a_command_nobody_taught_the_machines_is_named(deployed: Bench) -> None:
    with pytest.raises(Exception, match="do not know the command 'mkfs /dev/sda'"):
        deployed.cluster.shell("worker/0").run(["mkfs", "/dev/sda"])
