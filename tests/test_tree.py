"""The rules about the tree itself that no linter knows: sizes, where sleeping is allowed, what may stand nowhere."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILE_CEILING = 300
TEST_FILE_CEILING = 500
FUNCTION_CEILING = 60

# The only place of the SDK that sleeps; agents run on nodes by themselves and have none of the SDK with them.
SLEEPS = {Path("kubo_sdk/engine/clock.py")}
ON_NODES = (
    "plugins/kubo-sdk-cfrouting/kubo_sdk_cfrouting/agent/",
    "plugins/kubo-sdk-flannel/kubo_sdk_flannel/agent/",
    "plugins/kubo-sdk-powerdns/kubo_sdk_powerdns/cluster/agent/",
    "plugins/kubo-sdk-powerdns/kubo_sdk_powerdns/managed/agent/",
)


TEXT = {".cfg", ".ini", ".md", ".py", ".sh", ".toml", ".yml", ""}
REGISTRIES = re.compile(
    r"(deb|security|snapshot)\.debian\.org|pypi\.org|pythonhosted\.org|npmjs\.(org|com)|proxy\.golang\.org|crates\.io"
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(root|work|Users)/[a-z]")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def tree() -> Iterator[Path]:
    """Every file of the project, by its path in the tree; what tools leave behind is no part of it."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not is_left_behind(name))
        yield from (Path(folder, name).relative_to(ROOT) for name in sorted(names) if not is_left_behind(name))


def is_left_behind(name: str) -> bool:
    """Whether a file or folder of that name is made by a tool."""
    hidden = name.startswith(".") and name not in {".ci", ".importlinter", ".gitignore"}
    return hidden or name in {"__pycache__", "build", "dist"} or name.endswith(".egg-info")


def python_files() -> Iterator[Path]:
    return (path for path in tree() if path.suffix == ".py")


def is_test(path: Path) -> bool:
    return "tests" in path.parts


def is_core(path: Path) -> bool:
    return path.parts[0] == "kubo_sdk"


def is_shipped(path: Path) -> bool:
    """Code of the core and of plugins, without tests."""
    return path.parts[0] in {"kubo_sdk", "plugins"} and not is_test(path)


def parse(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of the file with its length in lines, docstring left out."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield node.name, lines - (docstring.count("\n") + 1 if docstring else 0)


def calls(path: Path, wanted: str) -> list[int]:
    """The lines where the file calls *wanted* (``print`` or ``time.sleep``)."""
    return [
        node.lineno for node in ast.walk(parse(path)) if isinstance(node, ast.Call) and ast.unparse(node.func) == wanted
    ]


def lines_with(pattern: re.Pattern[str], paths: Iterator[Path]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def texts() -> Iterator[Path]:
    return (path for path in tree() if path.suffix in TEXT and path != Path("tests/test_tree.py"))


def test_no_file_passes_its_ceiling() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in python_files()}
    too_long = {
        str(path): length
        for path, length in lengths.items()
        if length > (TEST_FILE_CEILING if is_test(path) else FILE_CEILING)
    }
    assert lengths
    assert not too_long


def test_no_function_passes_its_ceiling() -> None:
    too_long = [
        f"{path}: {name} has {length} lines"
        for path in python_files()
        for name, length in functions(path)
        if length > FUNCTION_CEILING
    ]
    assert not too_long


def test_every_file_opens_with_a_sentence() -> None:
    silent = [
        str(path)
        for path in python_files()
        if (ROOT / path).read_text(encoding="utf-8").strip() and not ast.get_docstring(parse(path))
    ]
    assert not silent


def test_only_the_clock_sleeps() -> None:
    sleeping = {
        path
        for path in python_files()
        if is_shipped(path)
        and not str(path).startswith(ON_NODES)
        and (calls(path, "time.sleep") or calls(path, "sleep"))
    }
    assert sleeping == SLEEPS


def test_the_core_never_prints_outside_its_command_line() -> None:
    printing = [
        str(path) for path in python_files() if is_core(path) and "cli" not in path.parts and calls(path, "print")
    ]
    assert not printing


def test_the_core_never_configures_logging() -> None:
    configuring = [
        f"{path}:{line}"
        for path in python_files()
        if is_core(path)
        for name in ("logging.basicConfig", "logging.config.dictConfig", "basicConfig")
        for line in calls(path, name)
    ]
    assert not configuring


def test_nothing_is_left_unfinished() -> None:
    assert not lines_with(UNFINISHED, texts())


def test_no_path_of_somebodys_machine_stands_in_the_tree() -> None:
    assert not lines_with(MACHINE_PATHS, texts())


def test_no_package_registry_stands_in_the_tree() -> None:
    assert not lines_with(REGISTRIES, texts())


@pytest.mark.parametrize("name", ["utils", "util", "helper", "helpers", "manager", "data", "info", "common", "misc"])
def test_no_file_is_named_by_what_it_is_not(name: str) -> None:
    assert not [str(path) for path in python_files() if path.stem == name or name in path.parent.parts]
