"""The source ``directory`` with real files."""

from __future__ import annotations

import pytest

from kubo_sdk.errors import ConfigError, HostError, NotFound
from kubo_sdk.model.release import KUBERNETES_BINARIES
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.directory import DirectoryOptions, DirectorySource
from kubo_sdk.releases.files import sha256_of
from kubo_sdk.releases.images import docker_archive


@pytest.fixture
def files(tmp_path, lay_programs, version):
    return lay_programs(tmp_path / "files", version)


@pytest.fixture
def open_directory(tmp_path):
    def open_it(**options):
        chosen = DirectoryOptions(**{"path": "files", **options})
        return DirectorySource(chosen, cache_dir=tmp_path / "cache", base_dir=tmp_path)

    return open_it


def test_the_programs_are_copied_and_etcd_is_the_stemcells(files, open_directory, version, said):
    release = open_directory().fetch(version, said.append)
    assert sorted(path.name for path in (release.tree / "bin").iterdir()) == sorted(KUBERNETES_BINARIES)
    assert (release.binary("etcd"), release.etcd_version) == ("/usr/bin/etcd", "3.4.23")
    assert release.binary("kubelet") == f"{release.node_path}/bin/kubelet"
    assert release.pause_image == "registry.k8s.io/pause:3.9"
    assert open_directory().find(version) == release


def test_etcd_of_the_directory_is_used_and_asked_for_its_version(files, open_directory, version, said):
    for name in ("etcd", "etcdctl"):
        (files / "bin" / name).write_text("#!/bin/sh\necho 'etcd Version: 3.5.99'\n")
        (files / "bin" / name).chmod(0o755)
    release = open_directory().fetch(version, said.append)
    assert release.etcd_version == "3.5.99"
    assert release.binary("etcd") == f"{release.node_path}/bin/etcd"


def test_every_missing_program_is_named_at_once(files, open_directory, version, said):
    for name in ("kubelet", "kubectl"):
        (files / "bin" / name).unlink()
    (files / "bin" / "etcd").write_text("")
    with pytest.raises(HostError, match="lacks kubelet, kubectl, etcdctl; put them there"):
        open_directory().fetch(version, said.append)


def test_a_directory_that_is_not_there_is_named(tmp_path, open_directory, version, said):
    with pytest.raises(HostError, match=f"there is no directory {tmp_path}/nowhere/bin"):
        open_directory(path="nowhere").fetch(version, said.append)


def test_programs_of_another_version_are_refused_and_named(files, open_directory, version, said):
    (files / "bin" / "kubelet").write_text("#!/bin/sh\necho Kubernetes v1.29.0\n")
    (files / "bin" / "kubectl").write_text('#!/bin/sh\necho "Client Version: v1.31.0"\n')
    with pytest.raises(NotFound, match=r"does not hold Kubernetes 1\.30\.4: kubelet is 1\.29\.0, kubectl is 1\.31\.0"):
        open_directory().fetch(version, said.append)


def test_programs_for_other_machines_are_believed_when_a_version_file_is_there(files, open_directory, version, said):
    for name in KUBERNETES_BINARIES:
        (files / "bin" / name).write_bytes(b"\x7fELF for something else")
    with pytest.raises(HostError, match=r"does not run on this host .* put a file VERSION beside its directory bin"):
        open_directory().fetch(version, said.append)
    (files / "VERSION").write_text("v1.30.4\n")
    assert open_directory().fetch(version, said.append).version == version


def test_a_version_file_that_disagrees_is_refused(files, open_directory, version, said):
    (files / "VERSION").write_text("1.30.5\n")
    with pytest.raises(NotFound, match=r"VERSION is 1\.30\.5"):
        open_directory().fetch(version, said.append)


def test_checksums_are_verified_when_there(files, open_directory, version, said):
    sums = [f"{sha256_of(files / 'bin' / name)}  ./bin/{name}" for name in KUBERNETES_BINARIES]
    (files / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    assert open_directory().fetch(version, said.append).version == version


def test_a_file_that_does_not_match_its_checksum_is_named(files, open_directory, version, said):
    sums = [f"{sha256_of(files / 'bin' / name)}  bin/{name}" for name in KUBERNETES_BINARIES]
    (files / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    with (files / "bin" / "kube-proxy").open("a") as program:
        program.write("# changed\n")
    with pytest.raises(HostError, match=r"bin/kube-proxy does not match .*SHA256SUMS; copy it again"):
        open_directory().fetch(version, said.append)


def test_a_file_without_a_checksum_is_refused_when_others_have_one(files, open_directory, version, said):
    (files / "SHA256SUMS").write_text(f"{sha256_of(files / 'bin' / 'kubelet')}  bin/kubelet\n")
    with pytest.raises(HostError, match=r"SHA256SUMS does not list bin/kube-apiserver"):
        open_directory().fetch(version, said.append)


def test_the_pause_image_is_found_among_the_archives_and_comes_first(files, open_directory, version, said):
    (files / "images").mkdir()
    for file, name in (("a.tar", "app:1"), ("z.tar", "local:5000/pause:3.9")):
        archive = docker_archive(name, {"x": (b"x", 0o755)}, architecture="amd64")
        (files / "images" / file).write_bytes(archive)
    release = open_directory().fetch(version, said.append)
    assert release.images == ("z.tar", "a.tar")
    assert release.pause_image == "local:5000/pause:3.9"


def test_a_file_that_is_no_image_archive_is_refused(files, open_directory, version, said):
    (files / "images").mkdir()
    (files / "images" / "broken.tar").write_bytes(b"not a tar")
    with pytest.raises(HostError, match=r"broken\.tar is no image archive"):
        open_directory().fetch(version, said.append)


def test_a_changed_directory_is_another_release(files, open_directory, version, said):
    before = open_directory().fetch(version, said.append)
    with (files / "bin" / "kubelet").open("a") as program:
        program.write("# a fix\n")
    assert open_directory().find(version) is None
    after = open_directory().fetch(version, said.append)
    assert after.digest != before.digest
    assert open_directory().find(version) == after
    assert before.tree.is_dir()


def test_a_directory_that_was_taken_away_leaves_its_copy_in_use(tmp_path, files, open_directory, version, said):
    release = open_directory().fetch(version, said.append)
    files.rename(tmp_path / "elsewhere")
    assert open_directory().find(version) == release


def test_the_same_files_at_another_place_share_the_copy(tmp_path, files, open_directory, version, said):
    release = open_directory().fetch(version, said.append)
    files.rename(tmp_path / "elsewhere")
    assert open_directory(path="elsewhere").find(version) is None
    assert open_directory(path="elsewhere").fetch(version, said.append) == release
    assert open_directory(path="elsewhere").find(version) == release


def test_the_path_must_be_given(open_directory):
    with pytest.raises(ConfigError, match="needs the option 'path'"):
        open_directory(path="")


def test_versions_side_by_side_are_told_apart_by_the_path(tmp_path, lay_programs, open_directory, said):
    for text in ("1.30.4", "1.30.11", "1.31.0"):
        lay_programs(tmp_path / "all" / f"v{text}-arm" / "files", KubernetesVersion.parse(text))
    source = open_directory(path="all/v{version}-arm/files")
    assert source.newest(30) == KubernetesVersion.parse("1.30.11")
    assert source.fetch(KubernetesVersion.parse("1.30.4"), said.append).version == KubernetesVersion.parse("1.30.4")
    assert source.find(KubernetesVersion.parse("1.31.0")) is None
    with pytest.raises(NotFound, match=r"name the one to take: --through 1\.29\.N"):
        source.newest(29)


def test_a_path_of_one_version_does_not_tell_others(files, open_directory):
    with pytest.raises(NotFound, match="does not tell"):
        open_directory().newest(30)
