"""The distributions: what their wheels hold, that their entry points resolve, and that their versions fit together."""

from __future__ import annotations

import ast
import configparser
import email
import importlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from email.message import Message
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from attrs import frozen

from kubo_sdk import Plugins

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/setup.cfg"))
FOLDERS = {"kubo-sdk": ROOT, **{folder.name: folder for folder in PLUGINS}}


@frozen(kw_only=True)
class Wheel:
    """One built wheel: its metadata and what is in it."""

    metadata: Message
    names: frozenset[str]


def setup(folder: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(folder / "setup.cfg", encoding="utf-8")
    return parser


def read_wheel(path: Path) -> Wheel:
    with zipfile.ZipFile(path) as archive:
        names = frozenset(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        return Wheel(metadata=email.message_from_bytes(archive.read(metadata)), names=names)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Wheel]:
    directory = tmp_path_factory.mktemp("wheels")
    subprocess.run([str(ROOT / "scripts" / "wheels"), str(directory)], check=True)
    built = [read_wheel(path) for path in directory.glob("*.whl")]
    return {str(wheel.metadata["Name"]): wheel for wheel in built}


def modules(folder: Path) -> set[str]:
    """Every Python file of the distribution's own package, as a wheel names it."""
    package = folder.name.replace("-", "_") if folder != ROOT else "kubo_sdk"
    return {
        str(path.relative_to(folder)) for path in (folder / package).rglob("*.py") if "__pycache__" not in path.parts
    }


def test_every_folder_below_plugins_is_a_distribution_of_that_name() -> None:
    folders = [path for path in (ROOT / "plugins").iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert setup(folder)["metadata"]["name"] == folder.name
        assert (folder / "README.md").is_file()
        assert (folder / "pyproject.toml").is_file()
        assert list((folder / "tests").glob("**/test_*.py"))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wheel_holds_every_module_and_the_typing_marker(name: str, wheels: Mapping[str, Wheel]) -> None:
    package = name.replace("-", "_")
    assert modules(FOLDERS[name]) <= wheels[name].names
    assert f"{package}/py.typed" in wheels[name].names


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wheel_holds_nothing_but_its_package(name: str, wheels: Mapping[str, Wheel]) -> None:
    tops = {entry.split("/")[0] for entry in wheels[name].names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {name.replace("-", "_")}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wheel_says_its_license_and_has_a_description(name: str, wheels: Mapping[str, Wheel]) -> None:
    metadata = wheels[name].metadata
    assert "Apache-2.0" in (metadata["License"] or metadata["License-Expression"] or "")
    assert len(str(metadata.get_payload())) > 100


def test_versions_go_in_lockstep(wheels: Mapping[str, Wheel]) -> None:
    assert {str(wheel.metadata["Version"]) for wheel in wheels.values()} == {setup(ROOT)["metadata"]["version"]}


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_asks_for_the_core_of_its_own_series(folder: Path) -> None:
    major, minor, _ = setup(ROOT)["metadata"]["version"].split(".")
    requirements = setup(folder)["options"]["install_requires"].split()
    assert f"kubo-sdk>={major}.{minor},<{major}.{int(minor) + 1}" in requirements


def test_the_changelog_has_a_section_for_what_comes_and_tells_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[Unreleased\]", changelog, flags=re.MULTILINE)
    assert setup(ROOT)["metadata"]["version"] in changelog


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_entry_points_resolve(folder: Path) -> None:
    declared = dict(
        re.split(r"\s*=\s*", line) for line in setup(folder)["options.entry_points"]["kubo_sdk"].strip().splitlines()
    )
    installed = {point.name: point for point in entry_points(group="kubo_sdk")}
    for name, module in declared.items():
        assert installed[name].value == module
        assert installed[name].load() is importlib.import_module(module)


def test_no_installed_plugin_is_broken() -> None:
    assert not Plugins().broken


def test_the_command_is_installed() -> None:
    (point,) = (point for point in entry_points(group="console_scripts") if point.name == "kubo")
    assert callable(point.load())


def imports(module: Path) -> set[str]:
    """The top-level names a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


# What a distribution is called whose import has another name.
CALLED = {"dns": "dnspython", "libcloud": "apache-libcloud", "pyVim": "pyvmomi", "pyVmomi": "pyvmomi", "yaml": "pyyaml"}
# What may import what an extra brings: it is not imported by those who did not ask for the extra.
EXTRAS = {"kubo_sdk/ssh/": "ssh", "kubo_sdk/testing/": "testing", "kubo_sdk_libcloud/clouds/vsphere/": "vsphere"}


def declared(requirements: str) -> set[str]:
    return {re.split(r"[<>=~!\[]", line)[0].strip().lower() for line in requirements.strip().splitlines()}


@pytest.mark.parametrize("name", FOLDERS)
def test_every_imported_distribution_is_declared(name: str) -> None:
    """An import that is not declared works only as long as somebody else happens to bring it."""
    config = setup(FOLDERS[name])
    always = declared(config["options"]["install_requires"])
    extras = config["options.extras_require"] if config.has_section("options.extras_require") else {}
    for module in modules(FOLDERS[name]):
        foreign = imports(FOLDERS[name] / module) - set(sys.stdlib_module_names) - {name.replace("-", "_")}
        needed = {CALLED.get(each, each.replace("_", "-")) for each in foreign}
        asked_for = (extras.get(extra, "") for folder, extra in EXTRAS.items() if module.startswith(folder))
        assert needed <= always.union(*map(declared, asked_for)), module
