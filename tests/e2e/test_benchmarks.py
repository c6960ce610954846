"""The benchmark prints what it promises.  How fast it was is for people to read, not for a test to judge."""

from __future__ import annotations

import json
import subprocess
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


def test_ssh_tells_what_a_change_costs_and_that_it_costs_a_machine_the_same_however_many_there_are() -> None:
    command = [sys.executable, str(ROOT / "benchmarks/ssh"), "--machines", "2", "6", "--runs", "1", "--without-ansible"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [run["machines"] for run in runs] == [2, 6]
    for run in runs:
        told = run["kubo_sdk"]
        assert (told["no_change"]["commands"], told["one_file"]["commands"]) == (1, 2)
        assert {"round_trips", "turns"} <= told["no_change"].keys() & told["one_file"].keys()
        assert all(told[phase]["seconds"] > 0 for phase in ("first", "no_change", "one_file"))
