"""Every bad input gets one clear sentence and changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from .residue import residue
from .site import SMALL, Site

pytestmark = pytest.mark.e2e

CACHE = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))


def refused(site: Site, spec: Path, *arguments: str) -> str:
    """Run a command that must be refused, and return its one sentence.  Only the journal may tell of it."""
    before = residue(site)
    done = site.kubo(spec, *arguments, check=False)
    assert done.returncode not in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in residue(site) - before if not line.startswith(f"file {site.state}")] == []
    assert not list(site.state.glob("credentials*"))
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"instance_groups": [{"name": "etcd", "instances": 2}, {"name": "master"}, {"name": "worker"}]}, "etcd"),
        ({"network": {"pods": "10.97.0.0/16"}}, "10.97.0.0/24"),
        ({"network": {"services": "10.200.3.0/24"}}, "10.200.0.0/16"),
        ({"kubernetes": {"version": "1.19.0"}}, "1.20"),
        ({"cpi": "locl"}, "installed: bosh, libcloud, local, static"),
        ({"cpi": {"provider": "local", "sunbet": "10.97.0.0/24"}}, "did you mean 'subnet'"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_line(empty_site: Site, changes: dict[str, object], sentence: str) -> None:
    spec = empty_site.spec("wrong", shape=SMALL, **changes)
    told = refused(empty_site, spec, "up")
    assert sentence in told
    assert f"{spec}:" in told


def test_several_problems_are_told_at_once(empty_site: Site) -> None:
    spec = empty_site.spec("wrong", shape=SMALL, colour="blue", zone=7, director="Not A Name")
    assert len(refused(empty_site, spec, "up").splitlines()) == 3


def test_a_subnet_in_use_on_this_host_is_refused(empty_site: Site) -> None:
    site = empty_site
    site.run(site.command("ip", "link", "add", "taken", "type", "bridge"))
    site.run(site.command("ip", "address", "add", "10.97.0.1/24", "dev", "taken"))
    spec = site.spec("clash", shape=SMALL)
    assert "10.97.0.0/24" in refused(site, spec, "up")


def test_without_root_nothing_happens(empty_site: Site) -> None:
    """In a user namespace of its own the process is nobody, and can still read its interpreter."""
    spec = empty_site.spec("rootless", shape=SMALL)
    command = empty_site.kubo_command(spec, "up")
    at = command.index(sys.executable)
    done = empty_site.run([*command[:at], "unshare", "--user", *command[at:]], check=False)
    assert done.returncode != 0
    assert "machines on this host need root; run it with sudo" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (empty_site.home / "local").exists()


def test_a_wrong_key_of_the_credential_store_is_refused(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("keyed", shape=SMALL)
    site.kubo(spec, "up")
    key = site.state / "credentials.key"
    right = key.read_bytes()
    key.write_bytes(os.urandom(len(right)))
    try:
        told = site.kubo(spec, "plan", check=False)
        assert told.returncode != 0
        assert str(key) in told.stderr
        assert "Traceback" not in told.stderr
    finally:
        key.write_bytes(right)


def link_or_copy(source: str, target: str) -> None:
    """The release is large; where the cache lies on another file system it must be copied all the same."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_a_corrupted_release_in_the_cache_is_named(empty_site: Site) -> None:
    site = empty_site
    cache = site.home / "cache"
    (cache / "releases").mkdir(parents=True)
    # There may be another one, which an older recipe made.
    for release in (CACHE / "releases").glob("1.20.2-debian-*"):
        copy = cache / "releases" / release.name
        shutil.copytree(release, copy, copy_function=link_or_copy)
        scheduler = copy / "bin" / "kube-scheduler"
        scheduler.unlink()
        scheduler.write_bytes(b"not what it was")
    spec = site.spec("corrupt", shape=SMALL)
    done = site.kubo(spec, "up", "--cache", str(cache), check=False)
    assert done.returncode != 0
    assert "kube-scheduler" in done.stderr
    assert "Traceback" not in done.stderr
    shutil.rmtree(cache)


def test_an_instance_that_does_not_exist_is_named_with_those_that_do(empty_site: Site) -> None:
    spec = empty_site.spec("nobody", shape=SMALL)
    done = empty_site.kubo(spec, "exec", "worker/9", "--", "true", check=False)
    assert done.returncode != 0
    assert "worker/9" in done.stderr
