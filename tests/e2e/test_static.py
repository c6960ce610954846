"""A whole cluster on machines that exist already, over SSH; afterwards they are as they were."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.engine.retry import wait_until

from .site import SMALL, Site

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "plugins" / "kubo-sdk-static" / "tests" / "lab.py"
CACHE = os.environ.get("KUBO_CACHE", "/var/cache/kubo")
WORKLOAD = Path(__file__).parent / "workload.yml"
# One more than the cluster needs.
MACHINES = 5


def run_lab(site: Site, what: str) -> str:
    arguments = (what, str(site.home), CACHE, "10.98.0.0/24", str(MACHINES))
    return site.run(site.command(sys.executable, str(LAB), *arguments)).stdout


@pytest.fixture
def racks(empty_site: Site) -> Iterator[Site]:
    """A site with machines that nobody uses, and the file that lists them."""
    try:
        run_lab(empty_site, "make")
        yield empty_site
    finally:
        # The cluster goes first, over the machines' SSH servers.
        for spec in empty_site.home.glob("racks.yml"):
            empty_site.kubo(spec, "delete", "--yes", check=False)
            spec.unlink()
        (empty_site.home / "machines.yml").unlink(missing_ok=True)
        run_lab(empty_site, "remove")


def test_a_cluster_on_machines_that_exist_leaves_them_as_they_were(racks: Site) -> None:
    before = json.loads(run_lab(racks, "state"))
    spec = racks.spec(
        "racks",
        cpi={"provider": "static", "machines": "machines.yml"},
        # Everything is in the image already.
        preparation={"packages": {"source": "image"}},
        instance_groups=[
            {"name": role, "role": role, "instances": count, "persistent_disk_mb": 0} for role, count in SMALL
        ],
    )
    racks.kubo(spec, "up")
    assert racks.plan(spec)["steps"] == []
    status = wait_until(lambda: healthy(racks, spec), what="a healthy cluster", timeout=120)
    claimed = racks.run(
        racks.command(sys.executable, "-m", "kubo_sdk_static", "list", str(racks.home / "machines.yml"))
    )
    assert sum("of kubo/racks since" in line for line in claimed.stdout.splitlines()) == MACHINES - 1

    racks.kubectl(spec, "apply", "-f", str(WORKLOAD))
    racks.kubectl(spec, "scale", "deployment/hello", "--replicas=1")
    racks.kubectl(spec, "rollout", "status", "deployment/hello", "--timeout=120s")
    (pod,) = json.loads(racks.kubectl(spec, "get", "pods", "-l", "app=hello", "-o", "json"))["items"]
    (proxy,) = [each["address"] for each in status["instances"] if each["role"] == "proxy"]
    answer = racks.run(racks.command("curl", "-sS", "--max-time", "10", f"http://{proxy}:30080/")).stdout
    assert answer.strip() == pod["metadata"]["name"]

    racks.kubo(spec, "delete", "--yes")
    after = json.loads(run_lab(racks, "state"))
    for name, lines in before.items():
        assert (name, sorted(set(lines) ^ set(after[name]))) == (name, [])


def healthy(site: Site, spec: Path) -> dict[str, Any] | None:
    status = site.status(spec)
    return status if status.get("healthy") else None
