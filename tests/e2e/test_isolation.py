"""Clusters beside each other, what deletion leaves, and who may read secrets."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .residue import residue
from .site import SMALL, Site

pytestmark = pytest.mark.e2e

REVEAL = """
import sys
from pathlib import Path
from kubo_sdk import Cluster
from kubo_sdk.model.secret import Secret
import attrs
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
store = cluster.providers.credential_store
for found in store.find(cluster.spec.id.credential("").rstrip("/")):
    for credential in store.list_versions(found.name):
        for field in attrs.fields(type(credential.value)):
            value = getattr(credential.value, field.name)
            if isinstance(value, Secret):
                print(value.reveal().encode().hex())
"""


def secrets_of(site: Site, spec: Path) -> set[str]:
    """Every secret of the cluster: whole texts of passwords, and one inner line of every private key."""
    output = site.run(site.command(sys.executable, "-c", REVEAL, str(spec), str(site.state))).stdout
    texts = {bytes.fromhex(line).decode() for line in output.split()}
    return {text.splitlines()[2] if "PRIVATE KEY" in text else text for text in texts}


def visible_texts(site: Site, spec: Path) -> Iterator[tuple[str, str]]:
    """Everything others can see: command lines, environments, journals, logs, plan, status, world-readable files."""
    for entry in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                yield f"{entry}/{name}", (entry / name).read_text(errors="replace")
            except OSError:
                continue
    yield "plan", site.kubo(spec, "plan", "--json").stdout
    yield "status", site.kubo(spec, "status", "--json").stdout
    for instance in site.status(spec)["instances"]:
        logs = site.kubo(spec, "exec", instance["instance"], "--", "sh", "-c",
                         "journalctl --no-pager -o cat; cat /var/log/kubernetes/* 2>/dev/null; "
                         "find /etc /opt/kubo /var/lib/kubo /run -xdev -type f -perm -o+r -size -200k "
                         "! -path '/etc/ssl/*' -exec cat {} + 2>/dev/null", check=False)  # fmt: skip
        yield f"{instance['instance']} logs and world-readable files", logs.stdout
    for path in site.home.rglob("*"):
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o004 and _reachable(path, site.home):
            yield str(path), path.read_text(errors="replace")
    for path in site.state.rglob("journal.db"):
        yield str(path), path.read_text(errors="replace")


def _reachable(path: Path, home: Path) -> bool:
    """True when every directory from *home* down lets others in."""
    return all(stat.S_IMODE(parent.stat().st_mode) & 0o001 for parent in path.parents if parent.is_relative_to(home))


def test_no_secret_is_visible_to_anybody_but_its_owner(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("secretive", shape=SMALL)
    up = site.kubo(spec, "up", "--json")
    secrets = secrets_of(site, spec)
    assert len(secrets) > 15
    for place, text in [("events", up.stdout + up.stderr), *visible_texts(site, spec)]:
        for secret in secrets:
            assert secret not in text, f"a secret is visible in {place}"
            assert base64.b64encode(secret.encode()).decode().rstrip("=") not in text, f"a secret is visible in {place}"


def test_two_clusters_beside_each_other_do_not_touch(empty_site: Site) -> None:
    site = empty_site
    first = site.spec("first", shape=SMALL)
    second = site.spec(
        "second",
        shape=SMALL,
        cpi={"provider": "local", "root": str(site.home / "local"), "subnet": "10.98.0.0/24"},
    )
    ups = [
        subprocess.Popen(site.kubo_command(spec, "up"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for spec in (first, second)
    ]
    for up in ups:
        _, errors = up.communicate(timeout=300)
        assert up.returncode == 0, errors
    for spec in (first, second):
        assert len(json.loads(site.kubectl(spec, "get", "nodes", "-o", "json"))["items"]) == 1
    site.kubo(first, "delete", "--yes")
    assert site.plan(second)["steps"] == []
    assert site.status(second)["healthy"]


def test_delete_leaves_nothing(empty_site: Site) -> None:
    site = empty_site
    before = residue(site)
    spec = site.spec("brief")
    site.kubo(spec, "up")
    assert residue(site) - before
    site.kubo(spec, "delete", "--yes")
    assert residue(site) - before == frozenset()


def test_a_cluster_of_another_director_is_left_alone(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("owned", shape=SMALL)
    site.kubo(spec, "up")
    mine = spec.read_text()
    spec.write_text(mine + "director: somebody\n")
    try:
        done = site.kubo(spec, "up", check=False)
        assert done.returncode != 0
        assert "owned" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        spec.write_text(mine)
    assert site.plan(spec)["steps"] == []


def test_a_second_process_is_told_that_the_cluster_is_being_worked_on(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("busy", shape=SMALL)
    with subprocess.Popen(site.kubo_command(spec, "up", "--json"), stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = site.kubo(spec, "up", check=False)
        first.communicate(timeout=300)
    assert second.returncode == 5
    assert f"process {first.pid}" in second.stderr
    assert first.returncode == 0


def test_the_state_on_this_host_is_for_its_owner_only(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("private", shape=SMALL)
    site.kubo(spec, "up")
    assert stat.S_IMODE(site.state.stat().st_mode) == 0o700
    for path in site.state.rglob("*.db"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert os.geteuid() == site.state.stat().st_uid
