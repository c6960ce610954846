"""vSphere, against VMware's own simulator of a vCenter: what is made, found again, refused and taken away."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.errors import AuthError, HostError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import VmSize
from kubo_sdk.secret_source import SecretSource
from kubo_sdk.testing.contracts.contract import assert_is_final, assert_is_one_sentence, at_once, error_of
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import MachineState, MachineWish, VolumeWish
from kubo_sdk_libcloud.clouds.vsphere.config import VsphereConfig, VsphereZone
from kubo_sdk_libcloud.clouds.vsphere.connect import VsphereCloud
from kubo_sdk_libcloud.clouds.vsphere.session import VsphereSession
from kubo_sdk_libcloud.clouds.vsphere.telling import clone

from .vsphere_simulator import Simulator, can_be_built, program, simulator

pytestmark = pytest.mark.skipif(
    not can_be_built(), reason="needs Debian's packages golang-go and golang-github-vmware-govmomi-dev"
)

CLUSTER = ClusterId(director="lab", name="kubo")
STRANGER = ClusterId(director="other", name="kubo")
TAGS = {**tags.of_instance(CLUSTER, "worker/0", "t1", "z1"), tags.HOST_KEY: "ssh-ed25519 " + "A" * 300}
POOL = "/DC0/host/DC0_C0/Resources"
ZONE = VsphereZone(pool=POOL, datastore="/DC0/datastore/LocalDS_0", network="/DC0/network/DC0_DVPG0")

Connect = Callable[..., VsphereCloud]


@pytest.fixture(scope="session")
def built() -> Path:
    return program(Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo")))


@pytest.fixture
def vcenter(built: Path, tmp_path: Path) -> Iterator[Simulator]:
    with simulator(built, tmp_path) as running:
        yield running


@pytest.fixture
def connect(vcenter: Simulator) -> Connect:
    """A connection of its own: ``connect(secret="wrong", template="/DC0/vm/none")``."""

    def connected(*, secret: str = "pass", trust: Path | None = vcenter.ca_file, **changes: Any) -> VsphereCloud:
        config = VsphereConfig(
            host="127.0.0.1",
            port=vcenter.port,
            username="user",
            password=SecretSource(variable="UNUSED"),
            template="/DC0/vm/DC0_H0_VM0",
            folder="/DC0/vm",
            zones={"z1": ZONE},
        )
        chosen = evolve(config, **changes)
        return VsphereCloud(chosen, VsphereSession(chosen, Secret(secret), trust, SystemClock()))

    return connected


def machine(**changes: Any) -> MachineWish:
    size = VmSize(cpus=2, memory_mb=3072)
    wish = {"key": "ab" * 16, "name": "kubo-worker-0", "zone": "z1", "size": size, "tags": TAGS}
    return MachineWish(cluster=CLUSTER, user_data="#cloud-config\n{}", login_key="ssh-ed25519 AAAA", **wish | changes)


def test_a_machine_is_a_clone_with_size_network_user_data_and_tags(connect: Connect) -> None:
    cloud = connect()
    cloud.ensure_shared(CLUSTER, (), tags.of_cluster(CLUSTER))
    made = cloud.create_machine(machine())
    assert (made.state, made.tags, made.provider_id) == (MachineState.RUNNING, TAGS, f"vsphere://{made.id}")
    raw = cloud._session.machine(made.id)
    options = {each.key: each.value for each in raw.config.extraConfig}
    assert base64.b64decode(options["guestinfo.userdata"]) == b"#cloud-config\n{}"
    assert options["guestinfo.userdata.encoding"] == options["guestinfo.metadata.encoding"] == "base64"
    assert json.loads(base64.b64decode(options["guestinfo.metadata"]))["local-hostname"] == "kubo-worker-0"
    # The simulator gives a clone the hardware of its template, whatever it is asked.
    asked = clone(machine(), "n", None, None, []).config
    assert (asked.numCPUs, asked.memoryMB) == (2, 3072)
    assert raw.resourcePool == cloud._session.at(POOL, "resource pool")


def test_machines_are_found_by_the_tags_of_their_cluster_and_token(connect: Connect) -> None:
    made = connect().create_machine(machine())
    other = connect()
    assert [each.id for each in other.list_machines(CLUSTER, "t1")] == [made.id]
    assert other.list_machines(CLUSTER, "t2") == other.list_machines(STRANGER) == ()
    assert other.find_machine(made.id) == made
    assert other.find_machine("../DC0") is None


def test_requests_with_the_same_key_give_the_same_machine(connect: Connect) -> None:
    """After each other; of two in the same moment this simulator makes both, where a vCenter refuses the second."""
    made = {connect().create_machine(machine()).id for _ in range(3)}
    assert [each.id for each in connect().list_machines(CLUSTER)] == list(made)


def test_many_threads_share_one_connection_object(connect: Connect) -> None:
    cloud = connect()
    made = at_once(lambda n: cloud.create_machine(machine(key=f"{n:032x}", name=f"kubo-worker-{n}")).id, range(12))
    assert {each.id for each in cloud.list_machines(CLUSTER)} == set(made)
    assert len(set(made)) == 12


def test_a_machine_is_stopped_started_and_deleted_and_each_of_that_may_be_repeated(connect: Connect) -> None:
    cloud = connect()
    made = cloud.create_machine(machine())
    for act, state in ((cloud.stop_machine, MachineState.STOPPED), (cloud.start_machine, MachineState.RUNNING)):
        for _ in range(2):
            act(made.id)
            found = cloud.find_machine(made.id)
            assert found is not None
            assert found.state is state
    for _ in range(2):
        cloud.delete_machine(made.id)
    assert cloud.find_machine(made.id) is None
    assert cloud.list_machines(CLUSTER) == ()
    assert_is_final(error_of(lambda: cloud.start_machine(made.id), NotFound))


def test_the_template_and_machines_of_others_are_nobodys(connect: Connect) -> None:
    cloud = connect()
    raw = cloud._session.at("/DC0/vm/DC0_H0_VM0", "template")
    assert raw.config.instanceUuid
    assert cloud.list_machines(CLUSTER) == ()


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"secret": "wrong"}, AuthError, "user and password"),
        ({"trust": None}, AuthError, "ca_file"),
        ({"template": "/DC0/vm/none"}, NotFound, "no template at /DC0/vm/none"),
        ({"folder": "/DC0/vm/none"}, NotFound, "no folder at /DC0/vm/none"),
        ({"zones": {"z1": evolve(ZONE, pool="/DC0/host/none/Resources")}}, NotFound, "no resource pool"),
        ({"zones": {"z1": evolve(ZONE, datastore="/DC0/datastore/none")}}, NotFound, "no datastore"),
        ({"zones": {"z1": evolve(ZONE, network="/DC0/network/none")}}, NotFound, "no network"),
    ],
)
def test_what_is_wrong_with_the_options_is_one_sentence(
    connect: Connect, changes: dict[str, Any], kind: type[ProviderError], words: str
) -> None:
    error = error_of(lambda: connect(**changes).ensure_shared(CLUSTER, (), {}), kind)
    assert_is_one_sentence(error)
    assert_is_final(error)
    assert words in str(error)


def test_a_zone_that_no_option_names_is_refused(connect: Connect) -> None:
    assert "cpi.vsphere.zones" in str(error_of(lambda: connect().create_machine(machine(zone="z9")), NotFound))


def test_a_vcenter_that_is_away_may_be_asked_again(connect: Connect) -> None:
    error = error_of(lambda: connect(port=1).list_machines(CLUSTER), Unavailable)
    assert error.retry_after is not None


def test_there_are_no_persistent_disks_and_it_says_so(connect: Connect) -> None:
    cloud = connect()
    assert not cloud.abilities().volumes
    wish = VolumeWish(cluster=CLUSTER, key="cd" * 16, name="kubo-disk", zone="z1", size_mb=1024, tags=TAGS)
    assert "persistent_disk_mb" in str(error_of(lambda: cloud.create_volume(wish), ProviderError))


def test_without_pyvmomi_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['pyVmomi'] = None; import kubo_sdk_libcloud.clouds.vsphere.connect"
    told = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert f"{HostError.__name__}: the driver vsphere needs pyvmomi" in told.stderr
