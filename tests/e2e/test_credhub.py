"""A real cluster whose every secret CredHub makes and keeps: healed, rotated, copied to the file store and deleted.

CredHub is the stand-in of the plugin's own tests, a process inside the site's namespace.  The tests follow each other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

from .losing import is_whole, lose
from .rotated import asked, certificates
from .site import Site

pytestmark = pytest.mark.e2e

SHAPE = (("etcd", 3), ("master", 2), ("worker", 1), ("proxy", 1))
INSTANCES = ("etcd/0", "etcd/1", "etcd/2", "master/0", "master/1", "worker/0", "proxy/0")
AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")
STANDIN = Path(__file__).parents[2] / "plugins" / "kubo-sdk-credhub" / "tests"
ROOT = "/kubo/secret/"


@frozen(kw_only=True)
class Standin:
    """A process with a CredHub and its UAA.  ``options``: what a spec says of it."""

    process: subprocess.Popen[str]
    options: dict[str, Any]

    def report(self) -> dict[str, Any]:
        """What was asked, and what is kept."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("report\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))

    def kept(self, leaf: str) -> dict[str, Any]:
        """What is kept of one credential of the cluster."""
        return dict(self.report()["entries"][ROOT + leaf])

    def asked(self, leaf: str, request: str) -> int:
        """How often *request*, a method and an endpoint of certificates, was made for *leaf*."""
        method, endpoint = request.split()
        told = self.report()
        identity = told["entries"][ROOT + leaf]["id"]
        return int(told["calls"].get(f"{method} /api/v1/certificates/{identity}/{endpoint}", 0))


Cluster = tuple[Site, Path, Standin]


@pytest.fixture(scope="module")
def cluster(shared_site: Site) -> Iterator[Cluster]:
    """The cluster, deployed.  It goes before its CredHub does, also after a failure."""
    directory = shared_site.home / "credhub"
    directory.mkdir()
    command = shared_site.command(sys.executable, "-m", "standin", str(directory))
    with subprocess.Popen(command, cwd=STANDIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        standin = Standin(process=process, options=json.loads(process.stdout.readline()))
        # A loaded host makes keys slowly, and the stand-in answers one after the other.
        store = {"provider": "credhub", **standin.options, "timeout": 120.0}
        spec = shared_site.spec("secret", shape=SHAPE, credential_store=store)
        try:
            shared_site.kubo(spec, "up")
            yield shared_site, spec, standin
        finally:
            if spec.exists():
                shared_site.kubo(spec, "delete", "--yes", check=False)
                spec.unlink()
            assert process.stdin is not None
            process.stdin.close()


def pems(entry: dict[str, Any]) -> list[str]:
    """The certificates of all its versions, oldest first, in base64 without a break."""
    return ["".join(version["certificate"].splitlines()[1:-1]) for version in entry["versions"]]


def on_machines(site: Site, spec: Path, *instances: str) -> set[str]:
    return {pem for found in certificates(site, spec, instances or INSTANCES).values() for pem in found}


def test_credhub_made_every_secret_and_every_certificate_of_the_machines(cluster: Cluster) -> None:
    site, spec, standin = cluster
    assert is_whole(site, spec)
    entries = standin.report()["entries"]
    made = {name: entry for name, entry in entries.items() if entry["type"] not in {"value", "json"}}
    assert {entry["type"] for entry in made.values()} >= {"certificate", "rsa", "password"}
    assert all(version["generated"] for entry in made.values() for version in entry["versions"])
    issued = {pem for entry in made.values() if entry["type"] == "certificate" for pem in pems(entry)}
    carried = on_machines(site, spec)
    assert len(carried) > len(INSTANCES)
    assert carried <= issued


def test_a_lost_worker_comes_back_with_new_certificates_of_credhub(cluster: Cluster) -> None:
    site, spec, standin = cluster
    authority, before = standin.kept("ca"), standin.kept("kubelet-worker-0")
    lose(site, spec, "worker/0")
    site.kubo(spec, "heal")
    assert is_whole(site, spec)
    after = standin.kept("kubelet-worker-0")
    assert pems(after)[-1] not in pems(before)
    assert all(version["generated"] for version in after["versions"])
    carried = on_machines(site, spec, "worker/0")
    assert pems(after)[-1] in carried
    assert not carried & set(pems(before))
    assert standin.kept("ca") == authority


def test_authorities_are_exchanged_by_transitional_versions_and_the_api_answers_all_the_time(cluster: Cluster) -> None:
    site, spec, standin = cluster
    before = {leaf: standin.kept(leaf) for leaf in AUTHORITIES}
    carried = on_machines(site, spec)
    with asked(site, spec) as told:
        site.kubo(spec, "rotate", *AUTHORITIES, "--until", "trust", "--settle", "5")
        trusted = {leaf: standin.kept(leaf) for leaf in AUTHORITIES}
        site.kubo(spec, "rotate", "--settle", "5")
    for leaf in AUTHORITIES:
        both = trusted[leaf]["versions"]
        assert [version["transitional"] for version in both[-2:]] == [False, True], leaf
        last = standin.kept(leaf)
        assert pems(last)[-1] == pems(trusted[leaf])[-1] not in pems(before[leaf])
        assert not any(version["transitional"] for version in last["versions"]), leaf
        assert all(version["generated"] for version in last["versions"]), leaf
        assert standin.asked(leaf, "POST regenerate") > 0
        assert standin.asked(leaf, "PUT update_transitional_version") > 1
    assert not on_machines(site, spec) & carried
    assert is_whole(site, spec)
    for who in ("administrator", "cached"):
        assert told[who]["asked"] > 100
        assert told[who]["troubles"] == []


def test_a_copy_in_the_file_store_leaves_nothing_to_do(cluster: Cluster) -> None:
    site, spec, _ = cluster
    document = yaml.safe_load(spec.read_text())
    document["credential_store"] = {"provider": "file", "key_algorithm": "rsa-2048"}
    other = site.home / "in-file.yml"
    other.write_text(yaml.safe_dump(document))
    site.kubo(spec, "credentials", "copy", "--to", str(other))
    assert site.plan(other)["steps"] == []
    site.kubo(other, "credentials", "copy", "--to", str(spec), "--delete-source")
    other.unlink()


def test_nothing_is_left_in_credhub_of_a_cluster_that_was_deleted(cluster: Cluster) -> None:
    site, spec, standin = cluster
    assert len(standin.report()["entries"]) > len(INSTANCES)
    site.kubo(spec, "delete", "--yes")
    spec.unlink()
    assert standin.report()["entries"] == {}
