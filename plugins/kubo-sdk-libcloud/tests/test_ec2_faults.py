"""What goes wrong at EC2 and on its machines ends converged or in one sentence, and nothing billed is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from attrs import evolve, frozen

from kubo_sdk.errors import AuthError, ConfigError, KuboError, NotFound, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import Disk, DiskRequest, Vm, VmRequest, VmState
from kubo_sdk.testing.contracts.contract import assert_is_one_sentence, error_of
from kubo_sdk_libcloud.clouds.ec2.cloud import Ec2Cloud
from kubo_sdk_libcloud.cpi import LibcloudCpi

from .conftest import MakeCpi
from .faulting_proxy import FaultingProxy
from .fleet import Fleet
from .moto_server import billed, client

ALWAYS = 1_000_000
CLUSTER = ClusterId(director="faults", name="demo")
ETCD = Instance(group="etcd", index=0, role=Role.ETCD, az="z1")


@frozen
class Site:
    """A prepared cluster and everything that the account pays for."""

    cpi: LibcloudCpi
    read: Callable[[], dict[str, list[str]]]

    def create(self, *disks: Disk, **more: Any) -> Vm:
        ids = tuple(disk.id for disk in disks)
        return self.cpi.create_vm(VmRequest(cluster=CLUSTER, instance=ETCD, token=ETCD.slug, disks=ids, **more))

    def disk(self) -> Disk:
        return self.cpi.create_disk(DiskRequest(cluster=CLUSTER, instance=ETCD, token=ETCD.slug, size_mb=64))

    def clear(self) -> None:
        for vm in self.cpi.list_vms(CLUSTER):
            self.cpi.delete_vm(vm.id)
        for disk in self.cpi.list_disks(CLUSTER):
            self.cpi.delete_disk(disk.id)
        self.cpi.dispose(CLUSTER)


@pytest.fixture
def inventory(ec2: Any, moto: int) -> Iterator[Callable[[], dict[str, list[str]]]]:
    """``inventory()``: what is billed now; at the end of the test it must be what it was before."""
    elb = client(moto, "elb")

    def read() -> dict[str, list[str]]:
        return billed(ec2, elb)

    before = read()
    yield read
    assert read() == before


@pytest.fixture
def new_site(
    inventory: Callable[[], dict[str, list[str]]], make_cpi: MakeCpi, proxy: FaultingProxy, fleet: Fleet
) -> Iterator[Callable[..., Site]]:
    """Makes prepared clusters with the options given; at the end all faults are over, and they are deleted."""
    made: list[Site] = []

    def make(**more: Any) -> Site:
        made.append(Site(make_cpi(**more), inventory))
        made[-1].cpi.prepare(CLUSTER)
        return made[-1]

    yield make
    proxy.calm()
    fleet.calm()
    for site in made:
        site.clear()


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    return new_site()


def refused(call: Callable[[], object], kind: type[KuboError]) -> KuboError:
    """What *call* is refused with: one sentence."""
    error = error_of(call, kind)
    assert_is_one_sentence(error)
    return error


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
def test_questions_that_are_turned_down_are_asked_again(site: Site, proxy: FaultingProxy, code: str) -> None:
    for action in ("DescribeInstances", "DescribeVolumes", "DescribeSecurityGroups"):
        proxy.refuse(action, code, 503)
    made = site.create(site.disk())
    assert [vm.id for vm in site.cpi.list_vms(CLUSTER)] == [made.id]
    assert proxy.faults == []


def test_a_question_that_is_turned_down_for_ever_says_when_to_come_back(site: Site, proxy: FaultingProxy) -> None:
    assert isinstance(site.cpi.cloud, Ec2Cloud)
    machines = site.cpi.cloud.machines
    hasty = evolve(
        site.cpi, cloud=evolve(site.cpi.cloud, machines=evolve(machines, api=evolve(machines.api, patience=1)))
    )
    proxy.refuse("DescribeInstances", "RequestLimitExceeded", 503, times=ALWAYS)
    error = refused(lambda: hasty.list_vms(CLUSTER), Unavailable)
    assert cast("Unavailable", error).retry_after is not None
    assert proxy.asked["DescribeInstances"] > 1


@pytest.mark.parametrize("times", [1, 3])
def test_a_failure_after_the_machine_was_made_leaves_one_machine(site: Site, proxy: FaultingProxy, times: int) -> None:
    """It is asked for three times by one client token; when all answers are lost, the next run makes the machine."""
    proxy.lose("RunInstances", times)
    if times < 3:
        site.create()
    else:
        assert cast("Unavailable", refused(site.create, Unavailable)).retry_after is not None
    made = site.create()
    assert [vm.id for vm in site.cpi.list_vms(CLUSTER)] == [made.id]
    assert len(site.read()["instances"]) == 1


def test_a_machine_that_never_boots_is_removed_and_made_by_the_next_run(
    new_site: Callable[..., Site], fleet: Fleet
) -> None:
    site = new_site(boot_timeout=1)
    disk, before = site.disk(), site.read()
    fleet.is_dead = True
    error = refused(lambda: site.create(disk), Unavailable)
    assert "SSH on etcd/0" in str(error)
    assert site.read() == before
    fleet.is_dead = False
    made = new_site().create(disk)
    assert (made.state, made.disks) == (VmState.RUNNING, (disk.id,))


def test_a_machine_that_lets_nobody_in_is_removed(new_site: Callable[..., Site], fleet: Fleet) -> None:
    """Its user may be made late, so the first refusal is not the last word."""
    site = new_site(boot_timeout=1)
    before = site.read()
    fleet.is_locked = True
    error = refused(site.create, Unavailable)
    assert "refuses the SSH key for user 'kubo'" in str(error)
    assert site.read() == before


def test_a_machine_that_never_runs_is_removed(new_site: Callable[..., Site], proxy: FaultingProxy) -> None:
    site = new_site(boot_timeout=1)
    before = site.read()
    proxy.rewrite("DescribeInstances", "<name>running</name>", "<name>pending</name>", ALWAYS)
    error = refused(site.create, Unavailable)
    assert "the start of etcd/0" in str(error)
    assert site.read() == before


def test_a_machine_that_cannot_be_removed_now_is_found_by_the_next_run(
    new_site: Callable[..., Site], fleet: Fleet, proxy: FaultingProxy
) -> None:
    site = new_site(boot_timeout=1)
    fleet.is_dead = True
    proxy.refuse("TerminateInstances", "UnauthorizedOperation", 403)
    refused(site.create, Unavailable)
    fleet.is_dead = False
    (left,) = site.cpi.list_vms(CLUSTER)
    assert new_site().create().id == left.id


def test_a_machine_with_another_host_key_is_refused_and_removed(site: Site, fleet: Fleet) -> None:
    before = site.read()
    fleet.is_strange = True
    error = refused(site.create, AuthError)
    assert "another host key" in str(error)
    assert fleet.entered == []
    assert site.read() == before
    fleet.is_strange = False
    assert site.create().state is VmState.RUNNING


@pytest.mark.parametrize("stuck", ["attaching", "busy"])
def test_a_volume_that_gets_stuck_is_taken_off_again_within_its_time(
    new_site: Callable[..., Site], proxy: FaultingProxy, stuck: str
) -> None:
    site = new_site(volume_timeout=0.5)
    disk, before = site.disk(), site.read()
    proxy.rewrite("DescribeVolumes", "<status>attached</status>", f"<status>{stuck}</status>", ALWAYS)
    error = refused(lambda: site.create(disk), Unavailable)
    assert disk.id in str(error)
    assert "stuck" in str(error)
    assert site.read() == before
    proxy.calm()
    assert site.create(disk).disks == (disk.id,)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("RunInstances", "InstanceLimitExceeded"),
        ("RunInstances", "InsufficientInstanceCapacity"),
        ("CreateVolume", "VolumeLimitExceeded"),
    ],
)
def test_a_quota_that_is_used_up_is_final(site: Site, proxy: FaultingProxy, action: str, code: str) -> None:
    before = site.read()
    proxy.refuse(action, code, times=ALWAYS)
    error = refused(lambda: site.create(site.disk()), QuotaExceeded)
    assert code in str(error)
    assert proxy.asked[action] == 1
    proxy.calm()
    site.cpi.delete_disk(site.disk().id)
    assert site.read() == before


def test_a_quota_of_groups_is_told_before_anything_is_made(
    make_cpi: MakeCpi, proxy: FaultingProxy, inventory: Any
) -> None:
    before = inventory()
    proxy.refuse("CreateSecurityGroup", "SecurityGroupLimitExceeded")
    refused(lambda: make_cpi().prepare(CLUSTER), QuotaExceeded)
    assert inventory() == before


@pytest.mark.parametrize("code", ["AuthFailure", "UnauthorizedOperation", "SignatureDoesNotMatch"])
def test_credentials_without_the_right_are_told_as_such(site: Site, proxy: FaultingProxy, code: str) -> None:
    before = site.read()
    proxy.refuse("RunInstances", code, 403)
    error = refused(site.create, AuthError)
    assert "IAM policy" in str(error)
    assert site.read() == before


@pytest.mark.parametrize(
    ("wrong", "kind", "remedy"),
    [
        ({"image": "ami-00000000"}, NotFound, "cpi.ec2.image"),
        ({"zones": {"z1": {"zone": "us-east-1z"}, "z2": {"zone": "us-east-1b"}}}, NotFound, "cpi.ec2.zones"),
        ({"zones": {"z1": {"subnet": "subnet-00000000"}}}, NotFound, "subnet"),
        ({"host": "ec2.nowhere.invalid", "port": 1}, Unavailable, "region"),
        ({"access_key": {"file": "nobody"}}, ConfigError, "nobody"),
    ],
)
def test_what_the_spec_says_wrong_is_told_before_anything_is_made(
    make_cpi: MakeCpi, inventory: Callable[[], Any], wrong: dict[str, Any], kind: type[KuboError], remedy: str
) -> None:
    before = inventory()
    error = refused(lambda: make_cpi(wrong).prepare(CLUSTER), kind)
    assert remedy in str(error)
    assert inventory() == before


def test_a_type_that_is_not_there_is_told_by_its_name(site: Site) -> None:
    before = site.read()

    error = refused(lambda: site.create(size=VmSize(cloud_properties={"instance_type": "t9.huge"})), ProviderError)
    assert "t9.huge" in str(error)
    assert site.read() == before
