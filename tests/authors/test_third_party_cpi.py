"""examples/third_party_cpi: a stranger's distribution, installed from its wheel, judged, and used for a cluster."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .conftest import Desk

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "third_party_cpi"
LIMIT = 200


@pytest.fixture
def installed(desk: Desk) -> Desk:
    """A desk where the wheel of the example is installed, and nothing of it lies about but its tests."""
    left_behind = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".*")
    shutil.copytree(EXAMPLE, desk.home / "source", ignore=left_behind)
    desk.done("pip", "wheel", "--no-deps", "--wheel-dir", "wheels", "./source")
    (wheel,) = (desk.home / "wheels").glob("rack_cpi-*.whl")
    desk.done("pip", "install", "--no-deps", str(wheel))
    (desk.home / "source" / "tests").rename(desk.home / "tests")
    shutil.rmtree(desk.home / "source")
    return desk


def test_the_whole_distribution_is_short() -> None:
    files = [path for path in EXAMPLE.rglob("*") if path.suffix in {".py", ".cfg", ".toml", ".md"}]
    assert {"setup.cfg", "pyproject.toml", "README.md", "rack_cpi.py", "test_rack.py"} <= {path.name for path in files}
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) < LIMIT


def test_it_is_listed_like_any_other_plugin(installed: Desk) -> None:
    (row,) = [row for row in json.loads(installed.done("kubo", "plugins", "--json")) if row["plugin"] == "rack"]
    assert (row["distribution"], row["version"], row["status"]) == ("rack-cpi", "1.0.0", "ok")
    assert (row["port"], row["contract"], row["capabilities"]) == ("cpi", 1, ["zones"])
    assert row["options"] == [{"name": "machines", "type": "str", "required": True, "default": None}]


def test_it_keeps_the_contract_and_carries_a_cluster_on_the_fakes(installed: Desk) -> None:
    report = installed.home / "report.xml"
    installed.done("pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "tests")
    cases = {case.get("name"): case for case in ET.parse(report).getroot().iter("testcase")}
    passed = {name for name, case in cases.items() if case.find("skipped") is None}
    assert "test_a_cluster_is_deployed_on_the_rack_and_deleted_again" in passed
    assert "test_many_machines_are_created_and_deleted_at_once" in passed
    assert len(passed) > 20


def test_its_source_type_checks(desk: Desk) -> None:
    module = shutil.copy(EXAMPLE / "rack_cpi.py", desk.home)
    desk.done("mypy", "--strict", "--follow-imports=silent", f"--cache-dir={desk.home / 'mypy'}", str(module))
