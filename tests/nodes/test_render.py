"""A machine's manifest: whole, consistent, and with every secret in a file only its owner can read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kubo_sdk.errors import PluginError
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import NodeNames
from kubo_sdk.nodes.etcd import JOIN_FILE, quota_bytes
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.ports.node import Contribution, NodeFile, Unit
from kubo_sdk.ports.overlay import OverlayInfo

MACHINES = ("etcd/0", "master/1", "worker/2", "proxy/0")
OURS = ("etcd/0", "master/1", "worker/2")
SERVICE = "[Service]\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"


Render = Callable[..., NodeManifest]


def contribution(*files: NodeFile, units: tuple[Unit, ...] = ()) -> tuple[Contribution, ...]:
    return (Contribution(files=files, units=units),)


def text_of(manifest: NodeManifest, path: str) -> str:
    return next(file.data().decode() for file in manifest.placed_files if file.path == path)


def digest_of(manifest: NodeManifest, unit: str) -> str:
    return manifest.unit_digests[unit]


@pytest.mark.parametrize("machine", OURS)
def test_every_secret_lies_in_a_file_only_its_owner_can_read(render_instance: Render, machine: str) -> None:
    secret = [file for file in render_instance(machine).placed_files if "<secret" in file.data().decode()]
    assert secret
    for file in secret:
        assert isinstance(file.content, Secret)
        assert file.mode & 0o077 == 0


@pytest.mark.parametrize("machine", OURS)
def test_no_unit_and_no_summary_shows_a_secret(render_instance: Render, machine: str) -> None:
    manifest = render_instance(machine)
    shown = "".join(unit.text for unit in manifest.units) + json.dumps(manifest.to_json()) + repr(manifest)
    assert "<secret" not in shown
    summary = manifest.to_json()["files"]
    for file in manifest.placed_files:
        assert ("digest" in summary[file.path]) is not isinstance(file.content, Secret)


@pytest.mark.parametrize("machine", OURS)
def test_every_file_restarts_a_unit_of_its_machine(render_instance: Render, machine: str) -> None:
    manifest = render_instance(machine)
    watched = {path for unit in manifest.units for path in unit.restart_on}
    assert {file.path for file in manifest.files} - watched <= {
        "/etc/etcd/cluster.env",  # What a member starts with the first time; a change must not restart it.
        *(f"/etc/etcd/pki/{who}.{part}" for who in ("server", "peer") for part in ("crt", "key")),  # Read at every use.
        "/etc/hosts",
        "/etc/sysusers.d/kubo-etcd.conf",
        "/etc/sysusers.d/kubo-kube.conf",
    }


@pytest.mark.parametrize("machine", OURS)
def test_every_path_a_unit_names_in_etc_is_on_the_machine(render_instance: Render, machine: str) -> None:
    manifest = render_instance(machine)
    there = {JOIN_FILE, *(file.path for file in manifest.files)}
    for unit in manifest.units:
        for word in unit.text.replace('"', " ").split():
            path = word.split("=", 1)[-1].replace("${KUBO_CGROUP}", "v1")
            if path.startswith(("/etc/kubernetes/", "/etc/etcd/", "/etc/containerd/")):
                assert path in there, f"{unit.name} names {path}"


@pytest.mark.parametrize("machine", MACHINES)
def test_the_same_context_gives_the_same_manifest(render_instance: Render, machine: str) -> None:
    assert render_instance(machine) == render_instance(machine)


def test_a_proxy_has_nothing_of_its_own_but_its_hosts(render_instance: Render) -> None:
    assert [file.path for file in render_instance("proxy/0").placed_files] == ["/etc/hosts"]


def test_a_unit_that_changes_takes_another_digest_and_its_neighbours_keep_theirs(render_instance: Render) -> None:
    before = render_instance("worker/0")
    after = render_instance("worker/0", extra_args={"kubelet": {"max-pods": "50"}})
    assert digest_of(before, "kubelet.service") != digest_of(after, "kubelet.service")
    for unit in ("containerd.service", "kube-proxy.service"):
        assert digest_of(before, unit) == digest_of(after, unit)


def test_a_file_that_changes_restarts_the_units_that_read_it(render_instance: Render) -> None:
    unit = Unit(name="reader.service", text=SERVICE, restart_on=("/etc/reader.conf",))
    digests = {
        digest_of(render_instance("proxy/0", contributions=contribution(file, units=(unit,))), "reader.service")
        for file in (
            NodeFile(path="/etc/reader.conf", content="a"),
            NodeFile(path="/etc/reader.conf", content="b"),
            NodeFile(path="/etc/reader.conf", content="a", mode=0o600),
            NodeFile(path="/etc/reader.conf", content="a", owner="haproxy"),
        )
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            contribution(NodeFile(path="/etc/kubernetes/kubelet.kubeconfig", content="")),
            "kubelet.kubeconfig is claimed",
        ),
        (contribution(units=(Unit(name="kubelet.service", text=SERVICE),)), "kubelet.service is claimed twice"),
        (contribution(NodeFile(path="etc/relative", content="")), "'etc/relative' is no absolute path"),
        (contribution(NodeFile(path="/etc/../root/x", content="")), "'/etc/../root/x' is no absolute path"),
        (contribution(NodeFile(path="/etc/with space", content="")), "'/etc/with space' is no absolute path"),
        (contribution(NodeFile(path="/etc/open", content=Secret("s"))), "/etc/open is secret but has mode 0644"),
        (contribution(NodeFile(path="/etc/odd", content="", owner="$(id)")), "which is no account name"),
        (contribution(units=(Unit(name="odd;unit", text=SERVICE),)), "'odd;unit' is no unit name"),
        (
            contribution(units=(Unit(name="a.service", text=SERVICE, restart_on=("/etc/typo",)),)),
            "a.service restarts on /etc/typo, which nobody contributes",
        ),
    ],
)
def test_contributions_that_clash_or_make_no_sense_are_refused_by_name(
    render_instance: Render, given: tuple[Contribution, ...], words: str
) -> None:
    with pytest.raises(PluginError, match="the files of worker/0 do not fit together") as refused:
        render_instance("worker/0", contributions=given)
    assert words in str(refused.value)


def test_both_cgroup_versions_get_one_driver_in_runtime_and_kubelet(render_instance: Render) -> None:
    manifest = render_instance("worker/0")
    for version, driver, systemd in (("v1", "cgroupfs", "false"), ("v2", "systemd", "true")):
        assert json.loads(text_of(manifest, f"/etc/kubernetes/kubelet-cgroup-{version}.json"))["cgroupDriver"] == driver
        assert f"SystemdCgroup = {systemd}" in text_of(manifest, f"/etc/containerd/kubo-cgroup-{version}.toml")


def test_nodes_are_called_by_their_address_unless_the_spec_says_otherwise(render_instance: Render) -> None:
    by_address = text_of(render_instance("worker/0"), "/etc/systemd/system/kubelet.service")
    by_name = text_of(render_instance("worker/0", node_names=NodeNames.INSTANCE), "/etc/systemd/system/kubelet.service")
    assert "--hostname-override=10.0.0.15" in by_address
    assert "--hostname-override=worker-0" in by_name
    assert "kubo/instance=worker-0" in by_address


def test_node_ranges_are_given_out_only_for_an_overlay_that_asks(render_instance: Render) -> None:
    path = "/etc/systemd/system/kube-controller-manager.service"
    assert "--allocate-node-cidrs" not in text_of(render_instance("master/0"), path)
    asked = render_instance("master/0", overlay=OverlayInfo(node_cidrs=True))
    assert "--allocate-node-cidrs=true" in text_of(asked, path)
    assert "--cluster-cidr=10.200.0.0/16" in text_of(asked, path)


def test_without_audit_there_is_neither_policy_nor_log(render_instance: Render) -> None:
    manifest = render_instance("master/0", audit=False)
    assert not any("audit" in file.path for file in manifest.files)
    assert "audit" not in text_of(manifest, "/etc/systemd/system/kube-apiserver.service")


def test_the_audit_policy_never_records_a_body(render_instance: Render) -> None:
    policy = text_of(render_instance("master/0"), "/etc/kubernetes/audit-policy.yaml")
    assert {line.split()[-1] for line in policy.splitlines() if "level:" in line} == {"None", "Metadata"}


def test_the_releases_images_are_loaded(render_instance: Render) -> None:
    manifest = render_instance("worker/0")
    loaded = text_of(manifest, "/etc/systemd/system/kubo-images.service").replace("\\\n", "").split()
    assert [word for word in loaded if word.endswith(".tar")] == [
        "/opt/kubo/releases/kubernetes-1.20.2/images/pause.tar",
        "/opt/kubo/releases/kubernetes-1.20.2/images/busybox.tar",
    ]


@pytest.mark.parametrize(("disk_mb", "quota_mb"), [(0, 2048), (1024, 512), (10240, 5120), (100_000, 8192)])
def test_the_database_of_etcd_fits_its_disk_with_room_for_its_log(disk_mb: int, quota_mb: int) -> None:
    assert quota_bytes(disk_mb) == quota_mb * 1024 * 1024


def test_a_machine_has_a_hosts_file_whatever_the_dns_provider(render_instance: Render) -> None:
    assert text_of(render_instance("worker/0"), "/etc/hosts").splitlines()[0] == "127.0.0.1 localhost"
