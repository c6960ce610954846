"""The benchmark of scale prints what it promises, and the work it counts grows no faster than the cluster.

How long it took is for people to read, not for a test to judge.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from kubo_sdk.model.spec import NetworkSpec
from kubo_sdk.testing.fakes import FakeCloud, sized

from .bench import Bench, bench

ROOT = Path(__file__).resolve().parents[2]
SIZES = (5, 10, 100)

# What planning asks of every machine there is: what it carries, and its three credentials.
LOOKING = {"shell.run": 1, "store.get": 4}
# It is rendered as it is and, while an address is to come, with another address in its place.
RENDERINGS = 2


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the benchmark prints; its picture is under ``plot``."""
    plot = tmp_path_factory.mktemp("scale") / "scale.svg"
    sizes = ",".join(str(size) for size in SIZES)
    command = [sys.executable, str(ROOT / "benchmarks/scale"), "--sizes", sizes, "--runs", "1", "--plot", str(plot)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    printed: dict[str, Any] = json.loads(done.stdout)
    return {**printed, "plot": plot.read_text()}


def work(told: dict[str, Any], phase: str) -> list[dict[str, Any]]:
    """What was counted in one phase, by ascending size."""
    return [size[phase]["work"] for size in told["sizes"]]


def test_every_size_is_told_with_the_share_of_the_sdk_and_that_of_the_fakes(told: dict[str, Any]) -> None:
    assert [size["workers"] for size in told["sizes"]] == list(SIZES)
    for size in told["sizes"]:
        assert size["nodes"] == size["workers"] + 5
        assert 0 < size["memory"]["before_mb"] < size["memory"]["peak_mb"]
        for phase in ("deploy", "plan", "add_one", "heal"):
            spent = size[phase]
            fakes = sum(spent["fake_cpu_seconds"].values())
            assert spent["wall_seconds"] > 0
            assert 0 < spent["sdk_cpu_seconds"] < spent["cpu_seconds"]
            assert spent["sdk_cpu_seconds"] + fakes == pytest.approx(spent["cpu_seconds"], abs=0.01)
        assert {"servers", "shell"} <= size["deploy"]["fake_cpu_seconds"].keys()
        assert size["plan"]["plan_deploy_cpu_seconds"] > 0


def test_every_target_says_whether_it_was_met(told: dict[str, Any]) -> None:
    targets = told["targets"]
    assert targets.keys() == {
        "planning_without_change",
        "peak_memory",
        "deploy_grows",
        "adding_one_beyond_looking_grows",
    }
    for target in targets.values():
        assert target["met"] == (target["measured"] <= target["at_most"])


def test_the_picture_has_a_line_for_each_figure_and_a_spot_for_each_size(told: dict[str, Any]) -> None:
    picture = ET.fromstring(told["plot"])
    lines = list(picture.iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 7
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}circle"))) == len(lines) * len(SIZES)


def test_a_deploy_asks_each_further_worker_for_the_same(told: dict[str, Any]) -> None:
    small, middle, large = (Counter(counted["port_calls"]) for counted in work(told, "deploy"))
    each = {name: (middle[name] - small[name]) / (SIZES[1] - SIZES[0]) for name in large}
    assert {name: (large[name] - middle[name]) / (SIZES[2] - SIZES[1]) for name in large} == each
    assert each["cpi.create_vm"] == 1


def test_adding_one_worker_is_the_same_work_at_any_size_beside_looking_at_what_is_there(told: dict[str, Any]) -> None:
    _, small, large = work(told, "add_one")
    more = SIZES[2] - SIZES[1]
    grown = Counter(large["port_calls"]) - Counter(small["port_calls"])
    assert grown == {name: calls * more for name, calls in LOOKING.items()}
    assert large["manifests"] - small["manifests"] == RENDERINGS * more
    assert large["writes"] == small["writes"]
    for size in told["sizes"]:
        assert (size["add_one"]["steps"], size["add_one"]["instances_touched"]) == (8, 1)


def test_planning_without_a_change_renders_each_machine_once_and_writes_nothing(told: dict[str, Any]) -> None:
    for size in told["sizes"]:
        assert size["plan"]["work"]["manifests"] == size["nodes"]
        assert size["plan"]["work"]["writes"] == 0


def test_only_what_was_lost_is_touched_by_healing_it(told: dict[str, Any]) -> None:
    for size in told["sizes"]:
        assert size["heal"]["instances_touched"] == size["heal"]["machines_lost"]


@pytest.mark.parametrize("dns", ["fake", "hosts"])
def test_twice_the_machines_are_planned_with_twice_the_function_calls(dns: str, tmp_path: Path) -> None:
    ten, twenty, forty = (function_calls_of_a_plan(tmp_path / str(size), size, dns) for size in (10, 20, 40))
    assert forty - twenty <= 2 * (twenty - ten) * 1.05


def function_calls_of_a_plan(home: Path, workers: int, dns: str) -> int:
    """How many functions, of Python or of C, one plan with no change calls in all threads but those of the fakes."""
    home.mkdir()
    with FakeCloud(boot_seconds=0.0) as cloud:
        site = deployed(home, cloud, workers, dns)
        plan = site.cluster.plan
        plan()  # What is kept from plan to plan is there from now on.
        return counted(plan)


def deployed(home: Path, cloud: FakeCloud, workers: int, dns: str) -> Bench:
    choice = bench(home, cloud).spec.dns
    site = bench(
        home,
        cloud,
        network=NetworkSpec(pods=IPv4Network("10.128.0.0/12")),
        instance_groups=sized(worker=workers, proxy=0),
        dns=type(choice)(provider=dns),
    )
    site.cluster.deploy()
    return site


def counted(act: Callable[[], object]) -> int:
    calls: Counter[str] = Counter()

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        name = threading.current_thread().name
        if event in ("call", "c_call") and not name.startswith("kubo-fake"):
            calls[name] += 1

    before = sys.getprofile()
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        act()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return calls.total()
