"""One real cluster that is given other builds of its Kubernetes: a good one, and one whose API server does not stay up.

Only one version of Kubernetes can be had here, so what changes is the build: the files are the same but one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

from kubo_sdk import Cluster

from .losing import is_whole
from .site import Site

pytestmark = pytest.mark.e2e

VERSION = "1.20.2"
CACHE = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
SHAPE = (("etcd", 1), ("master", 2), ("worker", 1), ("proxy", 1))
ASKING = Path(__file__).with_name("asking.py")
API_SERVER = "kube-apiserver"


def cached_release() -> Path:
    """The release in the cache; the newest, where an older recipe left another one."""
    found = CACHE.glob(f"releases/{VERSION}-debian-*/release.json")
    return max(found, key=lambda file: file.stat().st_mtime).parent


@frozen
class Builds:
    """Directories of three builds of one version below *home*, and a spec that names one of them."""

    site: Site
    home: Path
    spec: Path

    def make(self, name: str, **changed: bytes) -> None:
        """Lay down a build with other content of some programs, the rest linked from the release in the cache."""
        release, target = cached_release(), self.home / name
        for directory in ("bin", "images"):
            (target / directory).mkdir(parents=True)
            for file in sorted((release / directory).iterdir()):
                content = changed.get(file.name.replace("-", "_"))
                place = target / directory / file.name
                if content is None:
                    place.symlink_to(file)
                else:
                    place.write_bytes(content)
                    place.chmod(0o755)
        (target / "VERSION").write_text(VERSION)

    def choose(self, name: str) -> None:
        document = yaml.safe_load(self.spec.read_text())
        document["kubernetes"]["source"] = {"provider": "directory", "path": str(self.home / name)}
        self.spec.write_text(yaml.safe_dump(document))

    def kubo(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.site.kubo(self.spec, *arguments, check=check)

    def steps(self) -> list[str]:
        """The steps of the last task that were started, in the order of the plan."""
        cluster = Cluster.load(self.spec, state_dir=self.site.state)
        steps = cluster.task(len(cluster.tasks())).steps
        return [step.step for step in steps if step.start is not None]

    def programs(self, instance: str) -> set[str]:
        """The releases whose API server runs on that instance."""
        found = self.kubo("exec", instance, "--", "sh", "-c", f"readlink /proc/$(pidof {API_SERVER})/exe").stdout
        return {part for part in found.split("/") if part.startswith(VERSION)}

    @contextmanager
    def asked_all_the_time(self) -> Iterator[dict[str, Any]]:
        """Ask the API every 100 ms meanwhile; what came of it is there afterwards."""
        told: dict[str, Any] = {}
        command = self.site.command(sys.executable, str(ASKING), str(self.spec), str(self.site.state))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
            try:
                yield told
            finally:
                told.update(json.loads(asking.communicate()[0])["administrator"])


@pytest.fixture(scope="module")
def builds(shared_site: Site) -> Iterator[Builds]:
    home = shared_site.home / "builds"
    cpi = {
        "provider": "local",
        "root": str(shared_site.home / "local"),
        "subnet": "10.97.0.0/24",
        "cache": str(CACHE),
    }
    made = Builds(shared_site, home, shared_site.spec("upgraded", shape=SHAPE, cpi=cpi))
    made.make("first")
    made.make("second", kubectl=(cached_release() / "bin" / "kubectl").read_bytes() + b"\n")
    made.make("broken", kube_apiserver=b"#!/bin/sh\necho this build is no good >&2\nexit 1\n")
    made.choose("first")
    with pytest.MonkeyPatch.context() as patch:
        # What is copied there goes with the test.
        patch.setenv("KUBO_CACHE", str(home / "cache"))
        made.kubo("up")
        yield made
        made.kubo("delete", "--yes")
    shutil.rmtree(home)


def test_another_build_reaches_every_machine_while_the_api_answers(builds: Builds) -> None:
    before = builds.programs("master/0")
    builds.choose("second")
    assert "another build of Kubernetes" in builds.kubo("upgrade", "--check").stdout
    with builds.asked_all_the_time() as told:
        builds.kubo("upgrade")
    assert told["asked"] > 20
    assert told["troubles"] == []
    steps = builds.steps()
    order = [f"{verb} {name}" for name in ("master/0", "master/1", "worker/0") for verb in ("configure", "await")]
    assert [step for step in steps if step in order] == order
    assert builds.programs("master/0") == builds.programs("master/1") != before
    assert is_whole(builds.site, builds.spec)


def test_a_build_whose_api_server_does_not_stay_up_reaches_one_master_only_and_leaves_it(builds: Builds) -> None:
    before = builds.programs("master/0")
    builds.choose("broken")
    with builds.asked_all_the_time() as told:
        failed = builds.kubo("upgrade", check=False)
    assert failed.returncode == 8
    assert "master/0 did not come back with Kubernetes 1.20.2" in failed.stderr
    assert "kube-apiserver.service ended" in failed.stderr
    assert "this build is no good" in failed.stderr
    assert "was rolled back to" in failed.stderr
    assert told["asked"] > 20
    assert told["troubles"] == []
    assert [step for step in builds.steps() if step.startswith("configure")] == ["configure master/0"]
    assert builds.programs("master/0") == builds.programs("master/1") == before
    builds.choose("second")
    assert is_whole(builds.site, builds.spec)
