"""The front door: what `import kubo_sdk` offers, and that it does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kubo_sdk

HEAVY = (
    "attr",
    "cryptography",
    "http",
    "kubo_sdk.cluster",
    "logging",
    "pluggy",
    "rich",
    "socket",
    "sqlite3",
    "ssl",
    "threading",
    "yaml",
)

PROBE = """
import json, sys, threading
before = set(sys.modules)
import kubo_sdk
import logging
print(json.dumps({
    "modules": sorted(set(sys.modules) - before - {"logging"}),
    "threads": threading.active_count(),
    "handlers": len(logging.getLogger().handlers) + len(logging.getLogger("kubo_sdk").handlers),
}))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, Any]:
    found = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True, text=True)
    return dict(json.loads(found.stdout))


@pytest.mark.parametrize("name", kubo_sdk.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(kubo_sdk, name) is not None


def test_all_names_what_is_exported_and_nothing_else() -> None:
    assert set(kubo_sdk.__all__) == set(kubo_sdk._HOMES)
    public = {name for name in vars(kubo_sdk) if not name.startswith("_")}
    submodules = {name for name in public if f"kubo_sdk.{name}" in sys.modules}
    assert public - submodules <= {"Any", "TYPE_CHECKING", "annotations", "importlib"}
    assert set(kubo_sdk.__all__) <= set(dir(kubo_sdk))


def test_a_star_import_brings_exactly_the_public_names() -> None:
    names: dict[str, Any] = {}
    exec("from kubo_sdk import *", names)
    assert set(names) - {"__builtins__"} == set(kubo_sdk.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'kubo_sdk' has no attribute 'Clutser'"):
        _ = kubo_sdk.Clutser


def test_the_version_is_that_of_the_distribution() -> None:
    assert kubo_sdk.__version__.split(".")[0].isdecimal()


def test_importing_starts_no_thread_and_configures_no_logging(imported: dict[str, Any]) -> None:
    assert imported["threads"] == 1
    assert imported["handlers"] == 0


def test_importing_brings_nothing_heavy(imported: dict[str, Any]) -> None:
    first_parts = {name for name in imported["modules"] if name in HEAVY or name.split(".")[0] in HEAVY}
    assert first_parts - {"logging", "threading"} == set()
    assert len(imported["modules"]) < 40


def test_the_benchmark_of_imports_tells_what_they_bring() -> None:
    benchmark = Path(__file__).resolve().parents[1] / "benchmarks" / "import_time"
    told = subprocess.run([sys.executable, str(benchmark), "--runs", "1"], capture_output=True, check=True, text=True)
    figures = json.loads(told.stdout)
    assert 0 < figures["kubo_sdk"]["modules"] < 40 < figures["Cluster"]["modules"]
    assert 0 < figures["kubo_sdk"]["min_ms"] < figures["Cluster"]["min_ms"]
