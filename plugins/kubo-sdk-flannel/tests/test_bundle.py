"""The one file that nodes are given: always the same bytes, quick to make, complete, and nobody's import."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from kubo_sdk_flannel.bundle import agent_archive

BUILD = """
import sys
from kubo_sdk_flannel.bundle import agent_archive
data = agent_archive()
assert not [name for name in sys.modules if name.startswith("pyroute2")], "pyroute2 was imported"
sys.stdout.buffer.write(data)
"""


def usage_of(agent: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/usr/bin/python3", "-IS", str(agent)], capture_output=True, text=True, check=False)


def test_every_process_makes_the_same_bytes_without_importing_pyroute2() -> None:
    build = [sys.executable, "-c", BUILD]
    for seed in ("1", "2", "3"):
        made = subprocess.run(build, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        assert made == agent_archive()


def test_the_bytes_are_kept_for_the_next_process(tmp_path: Path) -> None:
    made = agent_archive(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == made
    began = time.process_time()
    assert agent_archive(tmp_path) == made
    assert time.process_time() - began < 0.1


def test_the_archive_runs_with_nothing_but_the_standard_library(agent: Path) -> None:
    done = usage_of(agent)
    assert (done.returncode, done.stderr) == (2, "usage: agent.pyz agent|gate SETTINGS\n")


def test_every_module_is_there_compiled_and_as_source_for_another_python(agent: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(agent) as archive:
        names = archive.namelist()
        assert {name + "c" for name in names if name.endswith(".py")} == {name for name in names if name.endswith("c")}
        foreign = tmp_path / "foreign.pyz"
        with zipfile.ZipFile(foreign, "w") as copy:
            for name in names:
                content = archive.read(name)
                copy.writestr(name, b"\0\0\r\n" + content[4:] if name.endswith("c") else content)
    done = usage_of(foreign)
    assert (done.returncode, done.stderr) == (2, "usage: agent.pyz agent|gate SETTINGS\n")


def test_compiled_modules_are_never_checked_against_their_source(agent: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(agent.read_bytes())) as archive:
        for name in archive.namelist():
            if name.endswith("c"):
                head = archive.read(name)[:8]
                assert head == importlib.util.MAGIC_NUMBER + b"\1\0\0\0"
                assert archive.getinfo(name).compress_type == zipfile.ZIP_STORED
