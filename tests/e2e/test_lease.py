"""Two directors, each with a state directory of its own, on one real cluster: only one of them works at a time."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from .site import SMALL, Site

pytestmark = pytest.mark.e2e

LEASE_SECONDS = 15
GROWN = tuple((role, 2 if role == "worker" else count) for role, count in SMALL)

# Deploys, and stands still between the plan and its first step until the lease is lost or standard input ends.
HOLDER = """
import sys, threading
from pathlib import Path
from kubo_sdk import Cluster, KuboError
from kubo_sdk.events import LeaseLost, PlanMade

go_on = threading.Event()

def observe(event):
    print(type(event).__name__, flush=True)
    if isinstance(event, LeaseLost):
        go_on.set()
    if isinstance(event, PlanMade):
        go_on.wait()

threading.Thread(target=lambda: (sys.stdin.read(), go_on.set()), daemon=True).start()
try:
    Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]), observers=[observe]).deploy()
except KuboError as error:
    print(f"{type(error).__name__}: {error}", flush=True)
"""


@pytest.fixture(scope="module")
def cluster(shared_site: Site) -> tuple[Site, Path]:
    """A small cluster, and the spec of a larger one that nobody has made yet."""
    spec = shared_site.spec("leased", shape=SMALL)
    shared_site.kubo(spec, "up")
    grown = shared_site.spec("leased", shape=GROWN)
    assert grown == spec
    return shared_site, spec


def elsewhere(site: Site) -> Site:
    """The same cluster seen by another director: a copy of the credentials, but no lease and no journal."""
    state = site.home / "elsewhere" / "state"
    if not state.exists():
        shutil.copytree(site.state, state, ignore=shutil.ignore_patterns("clusters"))
    return attrs.evolve(site, home=state.parent)


@contextmanager
def holder(site: Site, spec: Path) -> Iterator[subprocess.Popen[str]]:
    """A director with a plan in its hand, which ends when the block does."""
    command = site.command(sys.executable, "-c", HOLDER, str(spec), str(site.state))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "PlanMade\n" in iter(process.stdout.readline, "")
            yield process
        finally:
            process.kill()


def lease(site: Site, spec: Path) -> dict[str, Any]:
    found = json.loads(site.kubectl(spec, "-n", "kube-system", "get", "lease", "kubo-director", "-o", "json"))
    return dict(found["spec"])


def test_a_finished_operation_leaves_the_lease_free(cluster: tuple[Site, Path]) -> None:
    site, spec = cluster
    found = lease(site, spec)
    assert not found.get("holderIdentity")
    assert found["leaseTransitions"] == 0


def test_a_director_elsewhere_is_refused_while_one_works(cluster: tuple[Site, Path]) -> None:
    site, spec = cluster
    with holder(site, spec) as process:
        refused = elsewhere(site).kubo(spec, "up", check=False)
        assert refused.returncode == 5
        assert f"kubo: cluster kubo/leased is being worked on by process {process.pid} on" in refused.stderr
        assert "(deploy, for" in refused.stderr
        assert refused.stderr.rstrip().endswith("; wait for it to end, or stop it")
    assert elsewhere(site).kubo(spec, "tasks").stdout.startswith("no task of cluster kubo/leased is recorded in")


def test_an_operation_whose_lease_is_stolen_does_no_more_step(cluster: tuple[Site, Path]) -> None:
    site, spec = cluster
    with holder(site, spec) as process:
        theft = {"spec": {"holderIdentity": "thief", "leaseTransitions": 99}}
        site.kubectl(
            spec, "-n", "kube-system", "patch", "lease", "kubo-director", "--type=merge", "-p", json.dumps(theft)
        )
        assert process.stdout is not None
        events = process.stdout.read().splitlines()
    assert events[:2] == ["LeaseLost", "OperationFinished"]
    assert (
        "LeaseHeld: stopped between two steps: cluster kubo/leased is being worked on by 'thief' (deploy, for"
        in events[2]
    )
    last = json.loads(site.kubo(spec, "tasks", "--json").stdout)[-1]
    assert (last["result"], last["steps_done"]) == ("failed", 0)
    assert lease(site, spec)["holderIdentity"] == "thief"


def test_a_killed_director_is_followed_after_its_lease_at_most(cluster: tuple[Site, Path]) -> None:
    site, spec = cluster
    with holder(elsewhere(site), spec) as process:
        assert lease(site, spec)["holderIdentity"].split("_")[1] == str(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        told = [json.loads(line) for line in site.kubo(spec, "up", "--json").stdout.splitlines()]
        planned = next(each for each in told if each.get("event") == "PlanMade")
        awaited = next(each for each in told if each.get("event") == "LeaseAwaited")
    assert awaited["seconds"] == LEASE_SECONDS
    waited = datetime.fromisoformat(planned["at"]) - datetime.fromisoformat(awaited["at"])
    assert waited.total_seconds() >= LEASE_SECONDS - 1
    assert told[-1]["result"] == "done"
    interrupted = json.loads(elsewhere(site).kubo(spec, "tasks", "--json").stdout)[-1]
    assert (interrupted["result"], interrupted["ended"]) == ("interrupted", None)


def test_a_killed_director_is_followed_at_once_where_its_state_is(cluster: tuple[Site, Path]) -> None:
    """The file lock proves that it is gone."""
    site, spec = cluster
    with holder(site, spec) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    told = [json.loads(line) for line in site.kubo(spec, "up", "--json").stdout.splitlines()]
    assert "LeaseAwaited" not in {each.get("event") for each in told}
    tasks = json.loads(site.kubo(spec, "tasks", "--json").stdout)
    assert [task["result"] for task in tasks[-2:]] == ["interrupted", "done"]
    assert [task["number"] for task in tasks] == list(range(1, len(tasks) + 1))
