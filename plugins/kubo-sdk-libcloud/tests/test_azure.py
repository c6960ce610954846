"""Azure by recorded answers: what is sent, what is understood, and what each kind of refusal becomes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from kubo_sdk.errors import AuthError, Conflict, KuboError, NotFound, QuotaExceeded, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import VmSize
from kubo_sdk.secret_source import SecretSource
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.azure.config import AzureConfig
from kubo_sdk_libcloud.clouds.azure.connect import AzureCloud
from kubo_sdk_libcloud.clouds.azure.session import AzureSession
from kubo_sdk_libcloud.clouds.cloud import MachineState, MachineWish, VolumeState, VolumeWish
from kubo_sdk_libcloud.firewall import Group, Rule

from .azure_answers import BASE, DISKS, GROUP, GROUPS, INTERFACES, LOCATION, MACHINES, SUBSCRIPTION, Azure, refusal
from .standin import StandIn, serving

CLUSTER = ClusterId(director="lab", name="kubo")
STRANGER = ClusterId(director="other", name="kubo")
RULES = (
    Rule(group=Group.MACHINES, protocol="tcp", first=22, last=22, source=IPv4Network("10.9.0.0/16")),
    Rule(group=Group.MACHINES, protocol="udp", first=8472, last=8472, source=Group.MACHINES),
)
TAGS = {**tags.of_instance(CLUSTER, "worker/0", "t1", "z1"), tags.HOST_KEY: "ssh-ed25519 " + "A" * 300}


@frozen(kw_only=True)
class Site:
    cloud: AzureCloud
    state: Azure
    server: StandIn

    def prepared(self) -> AzureCloud:
        self.cloud.ensure_shared(CLUSTER, RULES, tags.of_cluster(CLUSTER))
        return self.cloud


@pytest.fixture
def site() -> Iterator[Site]:
    state = Azure()
    with serving(state.reply) as server:
        config = AzureConfig(
            tenant="tenant",
            subscription=SUBSCRIPTION,
            client="client",
            client_secret=SecretSource(file=Path("secret")),
            resource_group=GROUP,
            location=LOCATION,
            network="net",
            subnet="machines",
            zones={"z1": "1"},
            endpoint=server.url,
            login_endpoint=server.url,
        )
        yield Site(cloud=AzureCloud(config, AzureSession(config, Secret("pass"), None)), state=state, server=server)


def machine(**changes: Any) -> MachineWish:
    size = VmSize(cpus=3, memory_mb=6000)
    wish = {"key": "ab" * 16, "name": "kubo-worker-0", "zone": "z1", "size": size, "tags": TAGS}
    return MachineWish(cluster=CLUSTER, user_data="#cloud-config\n{}", login_key="ssh-ed25519 AAAA", **wish | changes)


def volume() -> VolumeWish:
    return VolumeWish(cluster=CLUSTER, key="cd" * 16, name="kubo-disk", zone="z1", size_mb=1500, tags=TAGS)


def test_a_machine_is_asked_for_with_user_data_tags_groups_zone_and_the_smallest_size(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    (body,) = site.server.bodies(f"PUT {BASE}/{MACHINES}")
    properties = body["properties"]
    assert base64.b64decode(properties["osProfile"]["customData"]) == b"#cloud-config\n{}"
    assert properties["osProfile"]["linuxConfiguration"]["disablePasswordAuthentication"]
    assert (body["zones"], properties["hardwareProfile"]["vmSize"]) == (["1"], "Standard_F4s")
    assert all(len(value) <= 256 for value in body["tags"].values())
    (interface,) = properties["networkProfile"]["networkInterfaceConfigurations"]
    (group,) = site.state.of(GROUPS)
    assert interface["properties"]["networkSecurityGroup"]["id"] == group["id"]
    assert properties["storageProfile"]["osDisk"]["deleteOption"] == interface["properties"]["deleteOption"] == "Delete"
    assert (made.state, made.volumes, made.tags) == (MachineState.RUNNING, (), TAGS)
    assert made.private_address.startswith("10.9.0.")


def test_the_same_key_again_gives_the_same_machine_and_another_cluster_sees_none(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    assert site.cloud.create_machine(machine()).id == made.id
    assert [each.id for each in site.cloud.list_machines(CLUSTER, "t1")] == [made.id]
    assert site.cloud.list_machines(CLUSTER, "t2") == site.cloud.list_machines(STRANGER) == ()
    assert site.cloud.find_machine("../disks") is None


def test_a_machine_that_another_process_made_a_moment_ago_is_that_one(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    site.server.faults.append((f"GET {BASE}/{MACHINES}/", *refusal(404, "ResourceNotFound"), {}))
    again = site.cloud.create_machine(evolve(machine(), user_data="#cloud-config\n{another: key}"))
    assert (again.id, again.tags) == (made.id, made.tags)


def test_long_lists_are_read_to_their_end(site: Site) -> None:
    cloud = site.prepared()
    made = {cloud.create_machine(machine(key=f"{n:032x}", name=f"kubo-worker-{n}")).id for n in range(5)}
    assert {each.id for each in cloud.list_machines(CLUSTER)} == made
    assert all(each.private_address for each in cloud.list_machines(CLUSTER))


def test_a_machine_made_again_under_its_name_has_another_id(site: Site) -> None:
    first = site.prepared().create_machine(machine())
    for _ in range(2):
        site.cloud.delete_machine(first.id)
    assert site.state.of(INTERFACES) == []
    assert site.cloud.find_machine(first.id) is None
    assert site.cloud.create_machine(machine()).id != first.id


def test_a_machine_is_stopped_and_started(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    site.cloud.stop_machine(made.id)
    stopped = site.cloud.find_machine(made.id)
    assert stopped is not None
    assert stopped.state is MachineState.STOPPED
    site.cloud.start_machine(made.id)
    assert site.cloud.list_machines(CLUSTER)[0].state is MachineState.RUNNING


def test_the_security_group_holds_exactly_the_rules_is_left_alone_when_it_does_and_goes(site: Site) -> None:
    site.prepared()
    before = len(site.server.asked)
    site.prepared()
    assert all(each.method == "GET" for each in site.server.asked[before:])
    (group,) = site.state.of(GROUPS)
    allowed = [each["properties"] for each in group["properties"]["securityRules"] if each["name"] != "nothing-else"]
    assert sorted((each["protocol"], each["destinationPortRanges"]) for each in allowed) == [
        ("Tcp", ["22"]),
        ("Udp", ["8472"]),
    ]
    site.cloud.ensure_shared(CLUSTER, RULES[:1], {})
    (group,) = site.state.of(GROUPS)
    assert [each["properties"]["access"] for each in group["properties"]["securityRules"]] == ["Allow", "Deny"]
    site.cloud.remove_shared(CLUSTER)
    assert site.state.of(GROUPS) == []


def test_a_group_that_is_still_in_use_may_be_removed_later(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    with pytest.raises(Unavailable, match="InUse"):
        site.cloud.remove_shared(CLUSTER)
    site.cloud.delete_machine(made.id)
    site.cloud.remove_shared(CLUSTER)


def test_a_disk_is_made_attached_detached_and_deleted(site: Site) -> None:
    cloud = site.prepared()
    held, disk = cloud.create_machine(machine()), cloud.create_volume(volume())
    assert (disk.state, disk.size_mb, disk.tags) == (VolumeState.FREE, 2048, TAGS)
    assert cloud.create_volume(volume()).id == disk.id
    for _ in range(2):
        cloud.attach_volume(held.id, disk.id)
    assert [(each.state, each.attached_to) for each in cloud.list_volumes(CLUSTER)] == [(VolumeState.ATTACHED, held.id)]
    assert cloud.list_machines(CLUSTER)[0].volumes == (disk.id,)
    assert "/dev/disk/azure/scsi1/lun10" in cloud.device_patterns(held.id, disk.id)
    other = cloud.create_machine(machine(key="ef" * 16, name="kubo-worker-1"))
    with pytest.raises(Conflict, match="detach it"):
        cloud.attach_volume(other.id, disk.id)
    with pytest.raises(Conflict, match="detach it"):
        cloud.delete_volume(disk.id)
    for _ in range(2):
        cloud.detach_volume(held.id, disk.id)
        cloud.delete_volume(disk.id)
    assert cloud.list_volumes(CLUSTER) == ()
    assert site.state.of(DISKS) == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "OperationNotAllowed: Operation results in exceeding approved Total Regional Cores quota", QuotaExceeded),
        (409, "SkuNotAvailable", QuotaExceeded),
        (400, "AllocationFailed", QuotaExceeded),
        (403, "AuthorizationFailed", AuthError),
        (404, "ResourceGroupNotFound", NotFound),
        (429, "TooManyRequests", Unavailable),
        (503, "ServerTimeout", Unavailable),
    ],
)
def test_each_refusal_becomes_its_error(site: Site, status: int, code: str, kind: type[KuboError]) -> None:
    site.prepared()
    site.server.faults.append((f"PUT {BASE}/{MACHINES}", *refusal(status, code), {}))
    with pytest.raises(kind, match="make machine"):
        site.cloud.create_machine(machine())


def test_one_that_is_turned_down_is_told_when_to_come_back(site: Site) -> None:
    site.prepared()
    site.server.faults.append((f"PUT {BASE}/{MACHINES}", *refusal(429, "TooManyRequests"), {"Retry-After": "17"}))
    with pytest.raises(Unavailable) as caught:
        site.cloud.create_machine(machine())
    assert caught.value.retry_after == 17


def test_a_client_that_azure_refuses_is_an_auth_error_without_its_secret(site: Site) -> None:
    refused = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    site.server.faults.append(("/oauth2/token", 401, refused, {}))
    with pytest.raises(AuthError, match="no token for the client") as caught:
        site.cloud.list_machines(CLUSTER)
    assert "pass" not in str(caught.value)


def test_a_subnet_that_is_not_there_is_told(site: Site) -> None:
    site.state.kept.clear()
    with pytest.raises(NotFound, match="make the network"):
        site.prepared()


def test_a_size_that_no_type_has_is_told(site: Site) -> None:
    with pytest.raises(QuotaExceeded, match="vm smaller"):
        site.prepared().create_machine(evolve(machine(), size=VmSize(cpus=64, memory_mb=1024)))
