"""The cache: what it finds, what it refuses, and what is left when a process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import HostError, Unavailable
from kubo_sdk.releases.cache import ReleaseCache
from kubo_sdk.releases.check import check, read_manifest
from kubo_sdk.releases.manifest import Contents

ORIGIN = {"from": "here"}
CONTENTS = Contents(etcd_version="3.5.21", pause_image="pause:3.9")

# Another process that makes the same release: it tells when it builds and goes on when it is told to.
PROCESS = """
import sys
from pathlib import Path
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.cache import ReleaseCache
from kubo_sdk.releases.manifest import Contents

directory = Path(sys.argv[1])

def say(line):
    print(line, flush=True)

def build(tree, work):
    (tree / "bin" / "kubelet").write_text("one")
    (work / "scratch").write_text("scratch")
    print("building", flush=True)
    sys.stdin.readline()
    (tree / "bin" / "kubectl").write_text("two")
    return Contents(etcd_version="3.5.21", pause_image="pause:3.9")

cache = ReleaseCache(directory, "test")
release = cache.make(KubernetesVersion.parse(sys.argv[2]), {"from": "here"}, say, build)
print(release.digest, flush=True)
"""


@pytest.fixture
def cache(tmp_path):
    return ReleaseCache(tmp_path, "test")


@pytest.fixture
def start(tmp_path):
    """Starts other processes, and ends those that are still there after the test."""
    started: list[subprocess.Popen[str]] = []

    def start_one(version: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROCESS, str(tmp_path), str(version)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def build(tree: Path, work: Path) -> Contents:
    (tree / "bin" / "kubelet").write_text("kubelet")
    (tree / "bin" / "kubectl").write_text("kubectl")
    (tree / "images" / "pause.tar").write_text("pause")
    return CONTENTS


def never(tree: Path, work: Path) -> Contents:
    raise AssertionError("this must not be built again")


@pytest.fixture
def release(cache, version, said):
    return cache.make(version, ORIGIN, said.append, build)


def test_what_was_made_is_found_and_not_made_again(cache, version, said, release):
    assert cache.find(version, ORIGIN) == release
    assert cache.make(version, ORIGIN, said.append, never) == release


def test_programs_can_be_run_and_images_be_read_by_everybody(release):
    modes = {path.name: path.stat().st_mode & 0o777 for path in release.tree.rglob("*")}
    assert modes == {
        "bin": 0o755,
        "images": 0o755,
        "kubelet": 0o755,
        "kubectl": 0o755,
        "pause.tar": 0o644,
        "release.json": 0o644,
    }


def test_nothing_is_found_for_another_version_source_or_origin(cache, version, release, tmp_path):
    assert cache.find(type(version)(1, 30, 5), ORIGIN) is None
    assert cache.find(version, {"from": "there"}) is None
    assert ReleaseCache(tmp_path, "other").find(version, ORIGIN) is None


def test_a_file_that_was_changed_is_named(cache, version, release):
    (release.tree / "bin" / "kubelet").write_text("tebelek")
    with pytest.raises(HostError) as caught:
        cache.find(version, ORIGIN)
    assert str(caught.value) == (
        f"the cached release {release.tree} is damaged: bin/kubelet was changed; "
        "remove that directory and it will be made again"
    )


def test_a_damaged_release_is_made_again_once_it_was_removed(cache, version, said, release):
    (release.tree / "bin" / "kubelet").unlink()
    with pytest.raises(HostError, match="bin/kubelet is missing"):
        cache.make(version, ORIGIN, said.append, build)
    subprocess.run(["rm", "-r", release.tree], check=True)
    assert cache.make(version, ORIGIN, said.append, build) == release


@pytest.mark.parametrize(
    ("damage", "said_about_it"),
    [
        (lambda tree: (tree / "images" / "pause.tar").unlink(), "images/pause.tar is missing"),
        (lambda tree: (tree / "bin" / "backdoor").touch(), "bin/backdoor does not belong to it"),
        (lambda tree: (tree / "bin" / "kubelet").write_text(""), "bin/kubelet was changed"),
        (lambda tree: (tree / "release.json").unlink(), "release.json is missing"),
        (lambda tree: (tree / "release.json").write_text("{"), "release.json cannot be read"),
        (lambda tree: (tree / "release.json").write_text("[]"), "release.json cannot be read"),
        (lambda tree: swap(tree / "release.json", "pause:3.9", "pause:evil"), "release.json describes 1.30.4-test-"),
    ],
)
def test_every_kind_of_damage_is_noticed(cache, version, release, damage, said_about_it):
    damage(release.tree)
    with pytest.raises(HostError, match=f"is damaged: {said_about_it}"):
        cache.find(version, ORIGIN)


def test_a_link_in_place_of_a_file_is_damage(cache, version, release, tmp_path):
    kubelet = release.tree / "bin" / "kubelet"
    kubelet.rename(tmp_path / "kubelet")
    kubelet.symlink_to(tmp_path / "kubelet")
    with pytest.raises(HostError, match="bin/kubelet was changed"):
        cache.find(version, ORIGIN)


def test_files_whose_times_were_lost_are_read_once_and_then_known(cache, version, release):
    kubelet = release.tree / "bin" / "kubelet"
    os.utime(kubelet, (1, 1))
    assert cache.find(version, ORIGIN) == release
    assert read_manifest(release.tree).files["bin/kubelet"].mtime_ns == 1_000_000_000


def test_a_thorough_check_reads_files_that_look_unchanged(release):
    kubelet = release.tree / "bin" / "kubelet"
    times = kubelet.stat()
    kubelet.write_text("tebelek")
    os.utime(kubelet, ns=(times.st_atime_ns, times.st_mtime_ns))
    manifest = read_manifest(release.tree)
    assert check(release.tree, manifest) == manifest
    with pytest.raises(HostError, match="bin/kubelet was changed"):
        check(release.tree, manifest, thorough=True)


def test_a_build_that_fails_leaves_nothing(cache, version, said, tmp_path):
    def fail(tree: Path, work: Path) -> Contents:
        (tree / "bin" / "kubelet").write_text("half")
        raise Unavailable("the network is gone")

    with pytest.raises(Unavailable):
        cache.make(version, ORIGIN, said.append, fail)
    assert cache.find(version, ORIGIN) is None
    assert [path.name for path in (tmp_path / "releases").iterdir()] == [".1.30.4-test.lock"]


def test_a_cache_that_cannot_be_written_is_named(version, said, tmp_path):
    (tmp_path / "releases").write_text("a file")
    with pytest.raises(HostError, match=f"cannot write the release cache {tmp_path}/releases"):
        ReleaseCache(tmp_path, "test").make(version, ORIGIN, said.append, build)


def test_two_processes_make_one_release(start, version, cache):
    first, second = start(version), start(version)
    lines = {first.stdout.readline(): first, second.stdout.readline(): second}
    waiting = "waiting for another process that is getting Kubernetes 1.30.4-test\n"
    assert set(lines) == {"building\n", waiting}
    builder_output, _ = lines["building\n"].communicate("go on\n")
    waiter_output, _ = lines[waiting].communicate()
    assert builder_output == waiter_output
    assert cache.find(version, ORIGIN).digest == builder_output.strip()


def test_a_killed_process_leaves_nothing_that_is_found(start, version, cache, said, tmp_path):
    killed = start(version)
    assert killed.stdout.readline() == "building\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert (tmp_path / "releases" / ".making-1.30.4-test" / "release" / "bin" / "kubelet").exists()
    assert cache.find(version, ORIGIN) is None
    release = cache.make(version, ORIGIN, said.append, build)
    assert cache.find(version, ORIGIN) == release
    assert not list((tmp_path / "releases").glob(".making-*"))


def test_what_a_killed_process_left_is_removed_by_the_next_of_any_version(start, version, cache, said, tmp_path):
    killed, working = start("1.29.1"), start("1.29.2")
    assert (killed.stdout.readline(), working.stdout.readline()) == ("building\n", "building\n")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    cache.make(version, ORIGIN, said.append, build)
    assert [path.name for path in (tmp_path / "releases").glob(".making-*")] == [".making-1.29.2-test"]
    digest, _ = working.communicate("go on\n")
    assert (tmp_path / "releases" / f"1.29.2-test-{digest.strip()}").is_dir()


def test_the_lock_is_free_when_its_holder_is_killed(start, version):
    holder = start(version)
    assert holder.stdout.readline() == "building\n"
    waiter = start(version)
    assert waiter.stdout.readline().startswith("waiting")
    holder.kill()
    assert wait_until(lambda: waiter.stdout.readline() or None, what="the second build", timeout=20) == "building\n"


def swap(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))
