"""Flags fit their version: the table's for every minor, and the real daemons' own lists for the oldest."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.version import NEWEST_MINOR, OLDEST_MINOR, KubernetesVersion
from kubo_sdk.nodes.etcd import etcd_minor
from kubo_sdk.nodes.flags import flags_for, is_valid, refused_extra_args
from kubo_sdk.nodes.gates import COMPONENTS, ETCD, GATES, KUBELET
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.releases.companions import STEMCELL_ETCD_VERSION, companions

KNOWN = Path(__file__).parent / "known_flags"
MACHINES = ("etcd/0", "master/0", "worker/0")
MINORS = range(OLDEST_MINOR, NEWEST_MINOR + 1)


def command_lines(manifest: NodeManifest) -> Iterator[tuple[str, list[str]]]:
    """The name of each daemon, and the names of its flags."""
    for unit in manifest.units:
        text = unit.text.replace("\\\n", " ")
        for line in text.splitlines():
            program, *arguments = shlex.split(line.removeprefix("ExecStart=")) or [""]
            if line.startswith("ExecStart=") and Path(program).name in COMPONENTS:
                yield Path(program).name, [argument.removeprefix("--").split("=")[0] for argument in arguments]


@pytest.mark.parametrize("minor", MINORS)
def test_no_flag_is_used_outside_the_versions_that_have_it(
    render_instance: Callable[..., NodeManifest], minor: int
) -> None:
    version = f"1.{minor}.1"
    of_etcd = STEMCELL_ETCD_VERSION if minor == 20 else companions(KubernetesVersion.parse(version)).etcd_version
    seen = set()
    for machine in MACHINES:
        for component, flags in command_lines(render_instance(machine, version)):
            seen.add(component)
            its_minor = etcd_minor(of_etcd) if component == ETCD else minor
            assert [flag for flag in flags if not is_valid(component, flag, its_minor)] == []
    assert seen == set(COMPONENTS)


@pytest.mark.parametrize("minor", MINORS)
def test_no_config_field_is_used_outside_the_versions_that_have_it(
    render_instance: Callable[..., NodeManifest], minor: int
) -> None:
    documents = [
        json.loads(file.data())
        for file in render_instance("worker/0", f"1.{minor}.1").files
        if file.path.endswith(".json")
    ]
    assert len(documents) == 3
    for document in documents:
        assert [field for field in document if not is_valid(document["kind"], field, minor)] == []


@pytest.mark.parametrize("machine", MACHINES)
def test_the_real_daemons_of_the_oldest_version_list_every_flag(
    render_instance: Callable[..., NodeManifest], machine: str
) -> None:
    for component, flags in command_lines(render_instance(machine, "1.20.2")):
        known = next(KNOWN.glob(f"{component}-*.txt")).read_text().split()
        assert set(flags) <= set(known)


@pytest.mark.parametrize(
    ("component", "flag", "minor", "valid"),
    [
        ("kubelet", "container-runtime", 26, True),
        ("kubelet", "container-runtime", 27, False),
        ("kube-apiserver", "cloud-provider", 32, True),
        ("kube-apiserver", "cloud-provider", 33, False),
        ("kube-apiserver", "authentication-config", 28, False),
        ("kube-scheduler", "logtostderr", 25, True),
        ("kube-scheduler", "logtostderr", 26, False),
        ("KubeletConfiguration", "failCgroupV1", 30, False),
        ("KubeletConfiguration", "failCgroupV1", 31, True),
        ("etcd", "logtostderr", 4, True),
        ("etcd", "enable-v2", 6, False),
        ("kubelet", "anything-the-table-has-not-heard-of", 20, True),
    ],
)
def test_the_table_knows_first_and_last_versions(component: str, flag: str, minor: int, valid: bool) -> None:
    assert is_valid(component, flag, minor) is valid


def test_every_row_of_the_table_excludes_some_version() -> None:
    newest = {ETCD: 6}
    for gate in GATES:
        last = newest.get(gate.component, NEWEST_MINOR)
        assert not all(gate.allows(minor) for minor in range(4 if gate.component == ETCD else OLDEST_MINOR, last + 1))


def test_a_flag_of_the_users_replaces_ours_and_may_be_written_with_dashes() -> None:
    flags = flags_for(KUBELET, 20, {"v": "0", "config": "/a"}, {"--v": "4", "max-pods": "50"})
    assert flags == ("--v=4", "--config=/a", "--max-pods=50")


def test_a_flag_of_ours_that_the_version_has_not_is_left_out() -> None:
    assert flags_for(KUBELET, 27, {"container-runtime": "remote", "config": "/a"}) == ("--config=/a",)


def test_a_flag_of_the_users_that_the_version_has_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="kubelet has no flag --container-runtime in minor version 27"):
        flags_for(KUBELET, 27, {}, {"--container-runtime": "docker"})
    assert refused_extra_args({"kubelet": {"container-runtime": "docker", "v": "1"}}, 27) == (
        "kubelet has no flag --container-runtime in Kubernetes 1.27; take it out of extra_args",
    )
    assert refused_extra_args({"kubelet": {"container-runtime": "docker"}}, 26) == ()


def test_what_etcd_is_told_by_its_environment_is_no_flag_of_the_users() -> None:
    assert refused_extra_args({"etcd": {"--initial-cluster": "x", "snapshot-count": "5000"}}, 20) == (
        "--initial-cluster of etcd follows from the members there are; take it out of extra_args",
    )
