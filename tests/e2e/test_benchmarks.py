"""The benchmark prints what it promises.  How fast it was is for people to read, not for a test to judge."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .site import Site

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


def test_heal_tells_how_soon_a_loss_is_seen_and_mended(empty_site: Site) -> None:
    program = str(ROOT / "benchmarks/heal")
    done = empty_site.run(empty_site.command(sys.executable, program, "--only", "worker lost"))
    (run,) = json.loads(done.stdout)["runs"]
    assert "create vm worker/1" in run["steps"]
    assert run["decisions"] == ["missing_vm:worker/1: recreate"]
    assert run["detected_seconds"] > 0
    assert run["healed_seconds"] > 0
    assert (run["writes"]["lost"], run["api"]["asked"] > 0) == (0, True)


def test_create_cluster_tells_where_the_time_went(empty_site: Site) -> None:
    site = empty_site
    picture = site.home / "timeline.svg"
    program = str(ROOT / "benchmarks/create_cluster")
    done = site.run(site.command(sys.executable, program, "--runs", "1", "--timeline", str(picture)))
    told = json.loads(done.stdout)
    (run,) = told["runs"]
    assert run["kind"] == "warm"
    assert 0 < run["up_seconds"] < run["answer_seconds"]
    assert run["sdk_cpu_seconds"] > 0
    assert len(run["machine_cpu_seconds"]) == 9
    assert {"create vm worker/0", "await api", "await worker/2"} <= {step["step"] for step in run["steps"]}
    assert picture.read_text().startswith("<svg")
