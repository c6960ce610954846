"""One real cluster that is changed while all go on asking: in place, by new machines, and with a bad setting."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .losing import is_whole
from .site import Site

pytestmark = pytest.mark.e2e

Cluster = tuple[Site, Path]

UPGRADE = Path(__file__).resolve().parents[2] / "benchmarks/upgrade"
# Longer than any pause of a busy host: what is counted is who gets no answer at all.
PATIENCE = "20"


@pytest.fixture(scope="module")
def pair(shared_site: Site) -> Cluster:
    shape = (("etcd", 1), ("master", 2), ("worker", 2), ("proxy", 1))
    update = {"watch_seconds": 120, "drain_timeout_seconds": 120}
    spec = shared_site.spec("updated", shape=shape, update=update)
    shared_site.kubo(spec, "up")
    return shared_site, spec


def edit(spec: Path, section: str, **values: Any) -> None:
    document = yaml.safe_load(spec.read_text())
    document[section] = {**document.get(section, {}), **values}
    spec.write_text(yaml.safe_dump(document))


def test_everybody_is_answered_while_masters_and_workers_change(pair: Cluster) -> None:
    site, spec = pair
    phases = ("restart master", "restart worker")
    program = (sys.executable, str(UPGRADE), "--patience", PATIENCE, "--file", str(spec), "--state", str(site.state))
    told = json.loads(site.run(site.command(*program, "--only", *phases)).stdout)
    for run, changed in zip(told["runs"], ("master", "worker"), strict=True):
        assert set(run["machines"]) == {f"{changed}/0", f"{changed}/1"}
        for who in ("reads", "writes", "workload"):
            assert run[who]["asked"] > 0
            assert run[who]["answered"] == run[who]["asked"], (run["phase"], who, run[who]["troubles"])
        assert run["writes"]["lost"] == 0
    assert is_whole(site, spec)


def test_a_canary_that_does_not_come_back_stops_the_rollout_and_the_former_spec_goes_back(pair: Cluster) -> None:
    site, spec = pair
    former = spec.read_text()
    edit(spec, "update", watch_seconds=8)
    flags = yaml.safe_load(former)["kubernetes"].get("extra_args", {})
    edit(spec, "kubernetes", extra_args={**flags, "kubelet": {"v": "loud"}})
    told = {step["id"]: step["details"] for step in site.plan(spec)["steps"] if step["effect"] == "restart"}
    assert told == {f"configure worker/{place}": ["kubelet.service"] for place in range(2)}
    failed = site.kubo(spec, "up", check=False)
    assert failed.returncode == 8
    assert "kubo up goes on once it is put right, and with the former spec it goes back" in failed.stderr
    spec.write_text(former)
    assert [step["id"] for step in site.plan(spec)["steps"]] == ["configure worker/0", "await worker/0"]
    site.kubo(spec, "up")
    assert is_whole(site, spec)


def test_what_cannot_change_is_refused_in_one_sentence_and_changes_nothing(pair: Cluster) -> None:
    site, spec = pair
    former = spec.read_text()
    edit(spec, "network", pods="10.201.0.0/16")
    refused = site.kubo(spec, "up", check=False)
    assert refused.returncode == 2
    assert "network.pods of cluster kubo/updated is 10.200.0.0/16 and cannot become 10.201.0.0/16" in refused.stderr
    spec.write_text(former)
    edit(spec, "update", policy="in_place_only")
    document = yaml.safe_load(spec.read_text())
    document["instance_groups"][1]["vm"] = {"memory_mb": 4096}
    spec.write_text(yaml.safe_dump(document))
    refused = site.kubo(spec, "plan", check=False)
    assert refused.returncode == 6
    assert "master/0 (its machine has another size than the spec says)" in refused.stderr
    spec.write_text(former)
    assert site.plan(spec)["steps"] == []


def test_another_size_is_another_machine(pair: Cluster) -> None:
    site, spec = pair
    document = yaml.safe_load(spec.read_text())
    document["instance_groups"][3]["vm"] = {"memory_mb": 4096}
    spec.write_text(yaml.safe_dump(document))
    plan = site.plan(spec)
    assert [each["instance"] for each in plan["replaces"]] == ["proxy/0"]
    assert [sentence.partition(" while ")[2] for sentence in plan["interrupts"]] == ["proxy/0, the only proxy, is away"]
    told = [json.loads(line) for line in site.kubo(spec, "up", "--json").stdout.splitlines()]
    assert "delete vm proxy/0" in [each.get("step") for each in told if each.get("event") == "StepFinished"]
    assert is_whole(site, spec)
