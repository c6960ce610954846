"""Interrupt any operation at any point, also with SIGKILL; run it again, and it converges without orphans."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from .residue import residue
from .site import SEED, Site

pytestmark = pytest.mark.e2e


def run_until(site: Site, command: list[str], events: int, sign: signal.Signals) -> int:
    """Start *command*, send *sign* once it told *events* events, and return how many it told in all."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        told = 0
        for line in process.stdout:
            told += "event" in json.loads(line)
            if told == events:
                process.send_signal(sign)
        process.wait()
    return told


def machines(site: Site, spec: Path) -> list[str]:
    return sorted(i["instance"] for i in site.status(spec)["instances"] if i["state"] == "running")


def everything(shape: tuple[tuple[str, int], ...]) -> list[str]:
    return sorted(f"{role}/{index}" for role, count in shape for index in range(count))


def test_a_deploy_killed_again_and_again_converges(empty_site: Site) -> None:
    """Every run is killed a few events after where it started: over the whole deploy no stage is left out."""
    site = empty_site
    spec = site.spec("killed")
    command = site.kubo_command(spec, "up", "--json")
    runs = 0
    for events in (1, 2, 4, 7, 11, 15, 20, 3, 8, 14, 22, 30, 36, 5, 9, 16, 25, 40):
        run_until(site, command, events, signal.SIGKILL)
        runs += 1
    site.kubo(spec, "up")
    assert runs == 18
    assert machines(site, spec) == everything(SEED)
    assert site.plan(spec)["steps"] == []
    assert site.status(spec)["healthy"]


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("stopped", shape=(("etcd", 1), ("master", 1), ("worker", 1), ("proxy", 1)))
    process = subprocess.Popen(
        site.kubo_command(spec, "up", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("event") == "StepFinished":
            process.send_signal(signal.SIGINT)
            break
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "again to go on" in errors
    assert "Traceback" not in errors
    site.kubo(spec, "up")
    assert site.plan(spec)["steps"] == []


def test_a_delete_killed_half_way_is_finished_by_the_next(empty_site: Site) -> None:
    site = empty_site
    before = residue(site)
    spec = site.spec("gone")
    site.kubo(spec, "up")
    for events in (2, 5, 9, 12):
        run_until(site, site.kubo_command(spec, "delete", "--yes", "--json"), events, signal.SIGKILL)
    site.kubo(spec, "delete", "--yes")
    assert residue(site) - before == frozenset()
