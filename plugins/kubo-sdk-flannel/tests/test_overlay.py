"""The director's half: what it asks of the core, what it writes to etcd, what it puts on machines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve
from kubo_sdk_flannel.agent import settings
from kubo_sdk_flannel.config import FlannelConfig, StoreKind
from kubo_sdk_flannel.overlay import FlannelOverlay
from kubo_sdk_flannel.plugin import kubo_overlay_providers

from kubo_sdk.errors import ConfigError, KuboError
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec, NetworkSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.access import KeyValue
from kubo_sdk.ports.credentials import Certificate, Credential, CredentialValue, Kind, User
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor, StartAfter
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.ports.providers import ConnectContext

SPEC = ClusterSpec(name="prod", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
PODS = SPEC.network.pods
ADDRESSES = {instance.id: f"10.66.0.{number}" for number, instance in enumerate(SPEC.instances(), 10)}
KUBERNETES = FlannelConfig(store=StoreKind.KUBERNETES)
NOWHERE = Path("/nowhere")
KEY = "-----BEGIN PRIVATE KEY-----\nprivate\n"
PASSWORD = "the-overlays-password"


def overlay(config: FlannelConfig | None = None) -> FlannelOverlay:
    return FlannelOverlay(config or FlannelConfig(), PODS, lambda: b"the agent")


def credential(name: str, value: CredentialValue) -> Credential:
    kind = Kind.USER if isinstance(value, User) else Kind.CERTIFICATE
    return Credential(name=name, kind=kind, version="1", created_at=datetime(2026, 1, 1, tzinfo=UTC), value=value)


def certificate(name: str) -> Credential:
    return credential(
        name, Certificate(certificate=f"certificate of {name}", private_key=Secret(KEY), ca=f"ca of {name}")
    )


def context(instance: Instance, leaves: Mapping[str, Credential] | None = None) -> NodeContext:
    slug = instance.slug
    login = credential("etcd-overlay", User(username="kubo-overlay", password=Secret(PASSWORD)))
    given = {
        Role.WORKER: {f"overlay-{slug}": certificate("overlay")},
        Role.ETCD: {
            "etcd-overlay": login,
            f"etcd-overlay-{slug}": certificate("etcd-overlay"),
            f"overlay-gate-{slug}": certificate("overlay-gate"),
        },
    }
    return NodeContext(
        spec=SPEC,
        instance=instance,
        address=ADDRESSES[instance.id],
        addresses=ADDRESSES,
        node_name=ADDRESSES[instance.id],
        provider_id=f"lab://{slug}",
        ca="ca of the cluster",
        api=Endpoint(name="api", host="10.66.0.99", port=8443),
        endpoints=(),
        release=Release(
            version=SPEC.kubernetes.version,
            source="lab",
            digest="0",
            tree=NOWHERE,
            etcd_version="3.4.23",
            pause_image="pause",
        ),
        credentials=given.get(instance.role, {}) if leaves is None else leaves,
    )


def connecting(spec: ClusterSpec) -> ConnectContext:
    return ConnectContext(spec=spec, state_dir=NOWHERE, cache_dir=NOWHERE, base_dir=NOWHERE)


def instance(role: Role, index: int = 0) -> Instance:
    return SPEC.instances(role)[index]


def contents(contribution: Contribution) -> dict[str, str]:
    return {file.path: file.data().decode() for file in contribution.files}


class MemoryEtcd:
    """The port `Etcd`, counting writes."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.writes = 0

    def get(self, key: str) -> KeyValue | None:
        return KeyValue(key=key, value=self.keys[key], mod_revision=1) if key in self.keys else None

    def list(self, prefix: str) -> tuple[KeyValue, ...]:
        return tuple(KeyValue(key=key, value=value, mod_revision=1) for key, value in self.keys.items())

    def put(self, key: str, value: bytes) -> None:
        self.keys[key] = value
        self.writes += 1

    def delete(self, key: str) -> None:
        del self.keys[key]


def test_the_overlay_is_offered_under_its_name() -> None:
    (provider,) = kubo_overlay_providers()
    assert (provider.name, provider.config) == ("flannel", FlannelConfig)
    connected = provider.connect(FlannelConfig(), connecting(SPEC))
    assert isinstance(connected, NodeContributor)
    accepted: Overlay = connected
    assert accepted.info().contract == 1


def test_a_pod_network_that_cannot_be_cut_is_refused_at_once() -> None:
    (provider,) = kubo_overlay_providers()
    spec = evolve(SPEC, network=NetworkSpec(pods=next(PODS.subnets(new_prefix=29))))
    with pytest.raises(ConfigError, match="too small for flannel"):
        provider.connect(FlannelConfig(), connecting(spec))


def test_in_etcd_the_overlay_owns_the_keys_below_its_prefix_and_no_others() -> None:
    info = overlay().info()
    assert info.etcd_prefixes == ("/coreos.com/network/",)
    assert not info.node_cidrs
    assert overlay().manifests() == ()


def test_on_nodes_the_overlay_asks_for_pod_cidrs_and_a_user_with_its_rights() -> None:
    info = overlay(KUBERNETES).info()
    assert (info.etcd_prefixes, info.node_cidrs, info.kubernetes_user) == ((), True, "kubo:flannel")
    role, binding = overlay(KUBERNETES).manifests()
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
    ]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [subject["name"] for subject in binding["subjects"]] == ["kubo:flannel"]


def test_the_network_is_written_once_and_again_only_when_it_differs() -> None:
    etcd = MemoryEtcd()
    for _ in range(2):
        overlay().ensure_network(etcd)
    assert etcd.keys == {
        "/coreos.com/network/config": b'{"Network":"10.200.0.0/16","Backend":{"Type":"vxlan","VNI":1,"Port":8472}}'
    }
    assert etcd.writes == 1
    overlay(FlannelConfig(vni=2)).ensure_network(etcd)
    assert b'"VNI":2' in etcd.keys["/coreos.com/network/config"]
    overlay(KUBERNETES).ensure_network(etcd)
    assert etcd.writes == 2


def test_a_worker_gets_the_agent_and_a_way_through_the_gates_and_no_credential_of_etcd() -> None:
    contribution = overlay().node_files(context(instance(Role.WORKER, 1)))
    files = contents(contribution)
    assert json.loads(files["/etc/kubo/flannel/settings.json"]) == {
        "public_ip": ADDRESSES["worker/1"],
        "etcd": {
            "endpoints": [f"https://{ADDRESSES[f'etcd/{index}']}:2382" for index in (1, 2, 0)],
            "prefix": "/coreos.com/network",
            "ca": "/etc/kubo/flannel/client-ca.crt",
            "certificate": "/etc/kubo/flannel/client.crt",
            "key": "/etc/kubo/flannel/client.key",
        },
    }
    assert files["/opt/kubo/flannel/agent.pyz"] == "the agent"
    assert files["/etc/kubo/flannel/client-ca.crt"] == "ca of overlay"
    assert PASSWORD not in "".join(files.values())


def test_an_etcd_machine_gets_the_gate() -> None:
    files = contents(overlay().node_files(context(instance(Role.ETCD, 2))))
    gate = json.loads(files["/etc/kubo/flannel/gate.json"])
    assert (gate["address"], gate["port"]) == (ADDRESSES["etcd/2"], 2382)
    assert (gate["client_name"], gate["network"]) == ("kubo:flannel", "10.200.0.0/16")
    assert gate["etcd"]["endpoints"] == [f"https://{ADDRESSES['etcd/2']}:2379"]
    assert json.loads(files[gate["etcd"]["login"]]) == {"username": "kubo-overlay", "password": PASSWORD}
    assert files[gate["ca"]] == "ca of overlay-gate"
    assert files[gate["etcd"]["ca"]] == "ca of etcd-overlay"


def test_with_kubernetes_as_the_store_workers_know_the_api_and_etcd_machines_nothing() -> None:
    chosen = overlay(KUBERNETES)
    files = contents(chosen.node_files(context(instance(Role.WORKER))))
    assert json.loads(files["/etc/kubo/flannel/settings.json"])["kubernetes"] == {
        "server": "https://10.66.0.99:8443",
        "node": ADDRESSES["worker/0"],
        "network": {"Network": "10.200.0.0/16", "Backend": {"Type": "vxlan", "VNI": 1, "Port": 8472}},
        "ca": "/etc/kubo/flannel/client-ca.crt",
        "certificate": "/etc/kubo/flannel/client.crt",
        "key": "/etc/kubo/flannel/client.key",
    }
    assert chosen.node_files(context(instance(Role.ETCD))) == Contribution()


@pytest.mark.parametrize("role", [Role.MASTER, Role.PROXY])
def test_machines_of_other_roles_get_nothing(role: Role) -> None:
    assert overlay().node_files(context(instance(role))) == Contribution()


@pytest.mark.parametrize("role", [Role.WORKER, Role.ETCD])
def test_secrets_are_for_root_alone_and_a_changed_file_restarts_the_unit(role: Role) -> None:
    contribution = overlay().node_files(context(instance(role)))
    private = {file.path for file in contribution.files if KEY in str(file.data()) or PASSWORD in str(file.data())}
    private |= {file.path for file in contribution.files if b"PRIVATE KEY" in file.data()}
    assert private
    for file in contribution.files:
        assert (file.mode == 0o600) == (file.path in private)
        assert isinstance(file.content, Secret) == (file.path in private)
    (unit,) = contribution.units
    assert set(unit.restart_on) == {file.path for file in contribution.files}
    assert unit.start_after is StartAfter.BOOT
    assert overlay().node_files(context(instance(role))) == contribution


def test_what_the_director_writes_for_a_machine_its_agent_can_load(tmp_path: Path) -> None:
    for role, config, name in (
        (Role.WORKER, FlannelConfig(), "settings.json"),
        (Role.WORKER, KUBERNETES, "settings.json"),
        (Role.ETCD, FlannelConfig(), "gate.json"),
    ):
        files = contents(overlay(config).node_files(context(instance(role))))
        written = tmp_path / name
        written.write_text(files[f"/etc/kubo/flannel/{name}"])
        if role is Role.ETCD:
            assert settings.load_gate(str(written)).network == PODS
        else:
            loaded = settings.load(str(written))
            assert (loaded.etcd is None) == (config is KUBERNETES)
            assert loaded.state_file == "/run/kubo/flannel.json"


def test_a_missing_credential_is_told_by_its_name() -> None:
    with pytest.raises(KuboError, match="there is no credential 'overlay-worker-0' of kind certificate"):
        overlay().node_files(context(instance(Role.WORKER), {}))


@pytest.mark.parametrize(("role", "arguments"), [(Role.WORKER, "agent /etc/kubo"), (Role.ETCD, "gate /etc/kubo")])
def test_the_units_are_as_systemd_wants_them(role: Role, arguments: str, tmp_path: Path) -> None:
    (unit,) = overlay().node_files(context(instance(role))).units
    assert f"ExecStart=/usr/bin/python3 -IS /opt/kubo/flannel/agent.pyz {arguments}" in unit.text
    path = tmp_path / unit.name
    path.write_text(unit.text)
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
