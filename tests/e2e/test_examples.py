"""Every example runs: the demo as a newcomer runs it, and the Python program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .residue import residue
from .site import SMALL, Site

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_runs_to_its_end_and_its_cluster_can_be_deleted(empty_site: Site) -> None:
    site = empty_site
    before = residue(site)
    environment = {**os.environ, "KUBO_STATE": str(site.state)}
    demo = subprocess.run(
        site.command(str(ROOT / "scripts/demo")), env=environment, capture_output=True, text=True, check=False
    )
    assert demo.returncode == 0, demo.stdout[-4000:] + demo.stderr[-4000:]
    for part in ("Pod to pod", "node port", "Logs and exec", "One master stops", "Delete it all"):
        assert part in demo.stdout
    site.kubo(ROOT / "examples/quickstart/cluster.yml", "delete", "--yes")
    assert residue(site) - before == frozenset()


def test_the_python_example_deploys_a_cluster(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("scripted", shape=SMALL)
    example = ROOT / "examples/python/deploy.py"
    done = site.run(site.command(sys.executable, str(example), str(spec), str(site.state)))
    assert "nothing left to do: True" in done.stdout
    assert "healthy: 4 instances" in done.stdout
