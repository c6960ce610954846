"""OpenStack by recorded answers: what is sent, what is understood, and what each kind of refusal becomes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from kubo_sdk.errors import AuthError, Conflict, KuboError, NotFound, QuotaExceeded, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import VmSize
from kubo_sdk.secret_source import SecretSource
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import MachineState, MachineWish, VolumeState, VolumeWish
from kubo_sdk_libcloud.clouds.openstack.config import OpenStackConfig
from kubo_sdk_libcloud.clouds.openstack.connect import OpenStackCloud
from kubo_sdk_libcloud.clouds.openstack.session import OpenStackSession
from kubo_sdk_libcloud.firewall import Group, Rule

from .openstack_answers import IMAGE, NETWORK, OpenStack
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
    cloud: OpenStackCloud
    state: OpenStack
    server: StandIn

    def prepared(self) -> OpenStackCloud:
        self.cloud.ensure_shared(CLUSTER, RULES, tags.of_cluster(CLUSTER))
        return self.cloud


@pytest.fixture
def site() -> Iterator[Site]:
    state = OpenStack()
    with serving(state.reply) as server:
        config = OpenStackConfig(
            auth_url=f"{server.url}/v3",
            image=IMAGE,
            network=NETWORK,
            username="kubo",
            password=SecretSource(file=Path("password")),
            project="kubo",
            zones={"z1": "nova-1"},
        )
        yield Site(
            cloud=OpenStackCloud(config, OpenStackSession(config, Secret("pass"), None)), state=state, server=server
        )


def machine(**changes: Any) -> MachineWish:
    size = VmSize(cpus=2, memory_mb=3000)
    wish = {"key": "ab" * 16, "name": "kubo-worker-0", "zone": "z1", "size": size, "tags": TAGS}
    return MachineWish(cluster=CLUSTER, user_data="#cloud-config\n{}", login_key="ssh-ed25519 AAAA", **wish | changes)


def volume() -> VolumeWish:
    return VolumeWish(cluster=CLUSTER, key="cd" * 16, name="kubo-disk", zone="z1", size_mb=1500, tags=TAGS)


def test_a_machine_is_asked_for_with_user_data_tags_group_and_zone(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    body = site.server.bodies("POST /nova/servers")[0]["server"]
    assert base64.b64decode(body["user_data"]) == b"#cloud-config\n{}"
    assert (body["config_drive"], body["availability_zone"], body["flavorRef"]) == (True, "nova-1", "3")
    assert body["security_groups"] == [{"name": next(iter(site.state.groups))}]
    assert all(len(value) <= 255 for value in body["metadata"].values())
    assert (made.state, made.private_address, made.volumes) == (MachineState.RUNNING, "10.0.0.5", ())
    assert made.tags == TAGS


def test_machines_are_found_by_the_tags_of_their_cluster_and_token(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    assert [each.id for each in site.cloud.list_machines(CLUSTER, "t1")] == [made.id]
    assert site.cloud.list_machines(CLUSTER, "t2") == site.cloud.list_machines(STRANGER) == ()
    assert site.cloud.find_machine("../flavors/detail") is None


def test_of_two_machines_of_one_key_the_older_stays(site: Site) -> None:
    site.prepared()
    site.state.twins = 1
    made = site.cloud.create_machine(machine())
    assert list(site.state.servers) == [made.id]
    assert site.cloud.create_machine(machine()).id == made.id
    assert list(site.state.servers) == [made.id]


def test_a_machine_is_stopped_started_and_deleted_twice_without_harm(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    for _ in range(2):
        site.cloud.stop_machine(made.id)
    assert site.state.servers[made.id]["status"] == "SHUTOFF"
    for _ in range(2):
        site.cloud.start_machine(made.id)
    for _ in range(2):
        site.cloud.delete_machine(made.id)
    assert site.state.servers == {}
    with pytest.raises(NotFound):
        site.cloud.stop_machine(made.id)


def test_a_machine_that_found_no_host_is_told_as_failed_with_the_reason(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    site.state.servers[made.id] |= {"status": "ERROR", "fault": {"message": "No valid host was found."}}
    found = site.cloud.list_machines(CLUSTER)[0]
    assert (found.state, found.reason) == (MachineState.FAILED, "No valid host was found.")


def test_the_group_holds_exactly_the_rules_and_goes(site: Site) -> None:
    site.prepared()
    (group,) = site.state.groups.values()
    site.cloud.ensure_shared(CLUSTER, RULES[:1], {})
    ingress = [each for each in group["security_group_rules"] if each["direction"] == "ingress"]
    assert [(each["protocol"], each["port_range_min"], each["remote_ip_prefix"]) for each in ingress] == [
        ("tcp", 22, "10.9.0.0/16")
    ]
    site.cloud.remove_shared(CLUSTER)
    site.cloud.remove_shared(CLUSTER)
    assert site.state.groups == {}


def test_a_volume_is_made_attached_detached_and_deleted(site: Site) -> None:
    cloud = site.prepared()
    held, disk = cloud.create_machine(machine()), cloud.create_volume(volume())
    assert (disk.state, disk.size_mb, disk.tags) == (VolumeState.FREE, 2048, TAGS)
    for _ in range(2):
        cloud.attach_volume(held.id, disk.id)
    attached = cloud.find_volume(disk.id)
    assert attached is not None
    assert (attached.state, attached.attached_to) == (VolumeState.ATTACHED, held.id)
    assert cloud.list_machines(CLUSTER)[0].volumes == (disk.id,)
    assert cloud.device_patterns(held.id, disk.id)[0] == f"/dev/disk/by-id/virtio-{disk.id[:20]}"
    with pytest.raises(Conflict, match="detach it"):
        cloud.delete_volume(disk.id)
    with pytest.raises(Conflict):
        cloud.attach_volume("another", disk.id)
    for _ in range(2):
        cloud.detach_volume(held.id, disk.id)
        cloud.delete_volume(disk.id)
    assert cloud.list_volumes(CLUSTER) == ()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, {"forbidden": {"message": "Quota exceeded for cores: Requested 2", "code": 403}}, QuotaExceeded),
        (403, {"forbidden": {"message": "Policy doesn't allow it", "code": 403}}, AuthError),
        (429, {"overLimit": {"message": "This request was rate-limited.", "code": 429}}, Unavailable),
        (503, "no JSON mapping", Unavailable),
    ],
)
def test_each_refusal_becomes_its_error(site: Site, status: int, body: Any, kind: type[KuboError]) -> None:
    site.prepared()
    site.server.faults.append(("POST /nova/servers", status, body, {"Retry-After": "7"}))
    with pytest.raises(kind, match="make machine") as raised:
        site.cloud.create_machine(machine())
    assert site.state.servers == {}
    assert kind is not Unavailable or getattr(raised.value, "retry_after", None) == 7.0


def test_a_wrong_password_is_an_auth_error_that_does_not_tell_it(site: Site) -> None:
    refused = {"error": {"code": 401, "message": "The request requires authentication.", "title": "Unauthorized"}}
    site.server.faults.append(("POST /v3/auth/tokens", 401, refused, {}))
    with pytest.raises(AuthError) as raised:
        site.cloud.list_machines(CLUSTER)
    assert "pass" not in str(raised.value).replace("password", "")


def test_a_token_withdrawn_before_its_time_is_asked_for_again(site: Site) -> None:
    site.prepared()
    site.server.faults.append(("GET /nova/servers/detail", 401, {"error": {"code": 401, "message": "no"}}, {}))
    assert site.cloud.list_machines(CLUSTER) == ()
    assert len(site.server.bodies("POST /v3/auth/tokens")) == 2


def test_an_image_that_is_not_there_is_told_before_anything_is_made(site: Site) -> None:
    site.server.faults.append((f"GET /v2/images/{IMAGE}", 404, {}, {}))
    with pytest.raises(NotFound, match="there is no image"):
        site.prepared()
    assert site.state.groups == {}
