"""`kubo plugin new`: what it writes loads, lints, type-checks, and fails its contract at the marked functions only."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kubo_sdk.cli.parser import PLUGIN_PORTS
from kubo_sdk.cli.skeleton import PORTS

from .conftest import Desk, new_desk
from .filled import FILLED

LIMIT = 200


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a skeleton for every port, installed."""
    desk = new_desk(tmp_path_factory.mktemp("desk"))
    for port in PLUGIN_PORTS:
        desk.done("kubo", "plugin", "new", f"acme-{port}", "--port", port)
    desk.done("pip", "install", *(word for port in PLUGIN_PORTS for word in ("--editable", f"./acme-{port}[testing]")))
    return desk


def folder(desk: Desk, port: str) -> Path:
    return desk.home / f"acme-{port}"


def texts(place: Path) -> Mapping[Path, str]:
    files = (path for path in place.rglob("*") if path.is_file() and ".egg-info" not in str(path))
    return {path: path.read_text() for path in files if "__pycache__" not in path.parts}


def verdicts(report: Path) -> Iterator[tuple[str, str]]:
    """Each test with ``passed``, ``skipped``, or all that its failures and errors told."""
    for case in ET.parse(report).getroot().iter("testcase"):
        told = [f"{part.get('message')}\n{part.text}" for part in case if part.tag in {"failure", "error"}]
        skipped = case.find("skipped") is not None
        yield str(case.get("name")), "\n".join(told) if told else "skipped" if skipped else "passed"


def judged(desk: Desk, place: Path) -> dict[str, str]:
    report = place / "report.xml"
    desk.run("pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", at=place)
    return dict(verdicts(report))


def test_the_command_line_and_the_skeletons_know_the_same_ports() -> None:
    assert sorted(PLUGIN_PORTS) == sorted(PORTS)


@pytest.mark.parametrize("port", PLUGIN_PORTS)
def test_a_skeleton_is_short_and_nothing_in_it_is_left_to_be_replaced(desk: Desk, port: str) -> None:
    found = texts(folder(desk, port))
    assert {"setup.cfg", "pyproject.toml", "README.md", "plugin.py", "provider.py"} <= {path.name for path in found}
    assert sum(len(text.splitlines()) for text in found.values()) < LIMIT
    assert not [path for path, text in found.items() if "$" in text]


@pytest.mark.parametrize("port", PLUGIN_PORTS)
def test_a_skeleton_that_is_installed_is_a_plugin_that_loads(desk: Desk, port: str) -> None:
    rows = json.loads(desk.done("kubo", "plugins", "--json"))
    (row,) = [row for row in rows if row["distribution"] == f"acme-{port}"]
    assert (row["status"], row["name"], row["port"]) == ("ok", f"acme-{port}", port.replace("-", "_"))
    assert row["hooks"] == [f"kubo_{port.replace('-', '_')}_providers"]
    assert row["contract"] == 1


@pytest.mark.parametrize("port", PLUGIN_PORTS)
def test_a_skeleton_lints_and_is_formatted(desk: Desk, port: str) -> None:
    rules = ("--no-cache", "--isolated", "--line-length", "120")
    desk.done("ruff", "check", *rules, "--select", "B,E,F,I,RUF,UP,W", ".", at=folder(desk, port))
    desk.done("ruff", "format", *rules, "--check", ".", at=folder(desk, port))


def test_every_skeleton_type_checks(desk: Desk) -> None:
    modules = [f"acme-{port}/acme_{port.replace('-', '_')}" for port in PLUGIN_PORTS]
    checked = ("--strict", "--follow-imports=silent", f"--cache-dir={desk.home / 'mypy'}")
    desk.done("mypy", *checked, "--python-executable", sys.executable, *modules)


@pytest.mark.parametrize("port", PLUGIN_PORTS)
def test_the_suite_of_a_skeleton_fails_at_the_marked_functions_and_nowhere_else(desk: Desk, port: str) -> None:
    found = judged(desk, folder(desk, port))
    failed = {name: told for name, told in found.items() if told not in {"passed", "skipped"}}
    assert failed
    assert "passed" in found.values()
    assert not [name for name, told in failed.items() if not re.search(r"fill in \w+", told)]


@pytest.mark.parametrize("port", FILLED)
def test_once_the_marked_functions_are_filled_in_the_suite_passes(port: str, tmp_path: Path) -> None:
    desk = new_desk(tmp_path)
    desk.done("kubo", "plugin", "new", "acme", "--port", port)
    provider = desk.home / "acme" / "acme" / "provider.py"
    provider.write_text(FILLED[port].into(provider.read_text()))
    assert "fill in" not in provider.read_text()
    desk.done("pip", "install", "--editable", "./acme[testing]")
    found = judged(desk, desk.home / "acme")
    assert "passed" in found.values()
    assert {name: told for name, told in found.items() if told not in {"passed", "skipped"}} == {}
