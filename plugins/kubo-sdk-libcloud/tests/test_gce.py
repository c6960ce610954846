"""GCE by recorded answers: what is sent, what is understood, and what each kind of refusal becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest
from attrs import evolve, frozen
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kubo_sdk.errors import AuthError, Conflict, KuboError, NotFound, QuotaExceeded, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import VmSize
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import MachineState, MachineWish, VolumeState, VolumeWish
from kubo_sdk_libcloud.clouds.gce.config import GceConfig
from kubo_sdk_libcloud.clouds.gce.connect import GceCloud
from kubo_sdk_libcloud.clouds.gce.session import GceSession
from kubo_sdk_libcloud.firewall import Group, Rule

from .gce_answers import PROJECT, Gce
from .standin import StandIn, serving

CLUSTER = ClusterId(director="lab", name="kubo")
STRANGER = ClusterId(director="other", name="kubo")
RULES = (
    Rule(group=Group.MACHINES, protocol="tcp", first=22, last=22, source=IPv4Network("10.9.0.0/16")),
    Rule(group=Group.MACHINES, protocol="udp", first=8472, last=8472, source=Group.MACHINES),
)
TAGS = {**tags.of_instance(CLUSTER, "worker/0", "t1", "z1"), tags.HOST_KEY: "ssh-ed25519 AAAAC3Nz+Ü/x"}


@frozen(kw_only=True)
class Site:
    cloud: GceCloud
    state: Gce
    server: StandIn

    def prepared(self) -> GceCloud:
        self.cloud.ensure_shared(CLUSTER, RULES, tags.of_cluster(CLUSTER))
        return self.cloud


@pytest.fixture(scope="module")
def key() -> Secret:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = f"kubo@{PROJECT}.iam.gserviceaccount.com"
    return Secret(json.dumps({"client_email": account, "private_key": private.decode()}))


@pytest.fixture
def site(key: Secret) -> Iterator[Site]:
    state = Gce()
    with serving(state.reply) as server:
        config = GceConfig(project=PROJECT, zones={"z1": "europe-west1-b"}, endpoint=server.url)
        yield Site(cloud=GceCloud(config, GceSession(config, key, None)), state=state, server=server)


def machine() -> MachineWish:
    return MachineWish(
        cluster=CLUSTER,
        key="ab" * 16,
        name="kubo-worker-0",
        zone="z1",
        size=VmSize(cpus=3, memory_mb=3000),
        user_data="#cloud-config\n{}",
        login_key="ssh-ed25519 AAAA",
        tags=TAGS,
    )


def volume() -> VolumeWish:
    return VolumeWish(cluster=CLUSTER, key="cd" * 16, name="kubo-disk", zone="z1", size_mb=1500, tags=TAGS)


def test_a_machine_is_asked_for_with_user_data_labels_network_tag_and_no_account(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    (body,) = site.server.bodies(f"POST /compute/v1/projects/{PROJECT}/zones/europe-west1-b/instances")
    assert {"key": "user-data", "value": "#cloud-config\n{}"} in body["metadata"]["items"]
    assert body["machineType"].endswith("/e2-custom-4-3072")
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{0,62}", name) for name in body["labels"])
    assert all(re.fullmatch(r"[a-z0-9]{0,63}", value) for value in body["labels"].values())
    firewall = next(iter(site.state.kept["firewalls"].values()))
    assert body["tags"]["items"] == firewall["targetTags"]
    assert body["serviceAccounts"] == []
    assert (made.state, made.private_address, made.tags) == (MachineState.RUNNING, "10.132.0.7", TAGS)


def test_the_same_key_again_gives_the_same_machine_and_another_cluster_sees_none(site: Site) -> None:
    made = site.prepared().create_machine(machine())
    assert site.cloud.create_machine(machine()).id == made.id
    assert [each.id for each in site.cloud.list_machines(CLUSTER, "t1")] == [made.id]
    assert site.cloud.list_machines(CLUSTER, "t2") == site.cloud.list_machines(STRANGER) == ()
    assert site.cloud.find_machine("../firewalls") is None


def test_a_machine_made_again_under_its_name_has_another_id(site: Site) -> None:
    first = site.prepared().create_machine(machine())
    for _ in range(2):
        site.cloud.delete_machine(first.id)
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


def test_the_firewall_holds_exactly_the_rules_is_left_alone_when_it_does_and_goes(site: Site) -> None:
    site.prepared()
    before = len(site.server.asked)
    site.prepared()
    assert all(each.method == "GET" for each in site.server.asked[before:])
    site.cloud.ensure_shared(CLUSTER, RULES[:1], {})
    (rule,) = site.state.kept["firewalls"].values()
    assert (rule["sourceRanges"], rule["allowed"]) == (["10.9.0.0/16"], [{"IPProtocol": "tcp", "ports": ["22"]}])
    site.cloud.remove_shared(CLUSTER)
    assert site.state.kept["firewalls"] == {}


def test_a_disk_is_made_attached_detached_and_deleted(site: Site) -> None:
    cloud = site.prepared()
    held, disk = cloud.create_machine(machine()), cloud.create_volume(volume())
    assert (disk.state, disk.size_mb, disk.tags) == (VolumeState.FREE, 10240, TAGS)
    assert cloud.create_volume(volume()).id == disk.id
    for _ in range(2):
        cloud.attach_volume(held.id, disk.id)
    assert [(each.state, each.attached_to) for each in cloud.list_volumes(CLUSTER)] == [(VolumeState.ATTACHED, held.id)]
    assert cloud.list_machines(CLUSTER)[0].volumes == (disk.id,)
    with pytest.raises(Conflict, match="detach it"):
        cloud.delete_volume(disk.id)
    for _ in range(2):
        cloud.detach_volume(held.id, disk.id)
        cloud.delete_volume(disk.id)
    assert cloud.list_volumes(CLUSTER) == ()


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "quotaExceeded", QuotaExceeded),
        (403, "forbidden", AuthError),
        (403, "rateLimitExceeded", Unavailable),
        (503, "backendError", Unavailable),
    ],
)
def test_each_refusal_becomes_its_error(site: Site, status: int, reason: str, kind: type[KuboError]) -> None:
    site.prepared()
    said = {"error": {"code": status, "message": "no", "errors": [{"reason": reason, "message": "no"}]}}
    site.server.faults.append(("/instances", status, said, {}))
    with pytest.raises(kind, match="make machine"):
        site.cloud.create_machine(machine())


def test_a_lack_of_room_that_only_the_operation_tells_is_told(site: Site) -> None:
    site.prepared()
    site.state.failing = {"code": "ZONE_RESOURCE_POOL_EXHAUSTED", "message": "The zone has no room"}
    with pytest.raises(QuotaExceeded, match="no room"):
        site.cloud.create_machine(machine())


def test_a_key_that_google_refuses_is_an_auth_error(site: Site) -> None:
    refused = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    site.server.faults.append(("/o/oauth2/token", 400, refused, {}))
    with pytest.raises(AuthError, match="invalid_grant"):
        site.cloud.list_machines(CLUSTER)


def test_a_zone_that_the_config_does_not_name_is_told(site: Site) -> None:
    with pytest.raises(NotFound, match="add it there"):
        site.cloud.create_machine(evolve(machine(), zone="z9"))
