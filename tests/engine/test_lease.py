"""One writer per cluster on this host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.lease import file_lease
from kubo_sdk.errors import LeaseHeld
from kubo_sdk.model.instance import ClusterId

CLUSTER = ClusterId(director="d", name="c")

HOLDER = """
import sys
from pathlib import Path
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.lease import file_lease
from kubo_sdk.model.instance import ClusterId
with file_lease(Path(sys.argv[1]), ClusterId(director="d", name="c"), "deploy", SystemClock()):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_process_is_told_who_holds_the_lease(tmp_path: Path) -> None:
    path = tmp_path / "c" / "lease"
    other = holder(path)
    try:
        told = rf"cluster d/c is being worked on by process {other.pid} \(deploy, since"
        with pytest.raises(LeaseHeld, match=told), file_lease(path, CLUSTER, "deploy", SystemClock()):
            pass
    finally:
        other.communicate()


def test_the_lease_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    other = holder(path)
    other.kill()
    other.wait()
    with file_lease(path, CLUSTER, "deploy", SystemClock()):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_lease_whose_file_was_removed_is_taken_on_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    with file_lease(path, CLUSTER, "delete", SystemClock()):
        path.unlink()
    with file_lease(path, CLUSTER, "deploy", SystemClock()):
        assert path.exists()


def test_the_next_holder_learns_who_is_certainly_gone(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    for number in range(20):
        with file_lease(path, CLUSTER, "deploy", SystemClock(), name=f"host_{number}_x") as gone:
            assert gone[-1:] == ((f"host_{number - 1}_x",) if number else ())
    assert len(gone) == 16


def test_a_lease_file_that_says_nothing_useful_is_taken_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    for content in ("", "[]", '{"pid": 1}', "\x00\xff", '{"names": 5}'):
        path.write_text(content)
        with file_lease(path, CLUSTER, "deploy", SystemClock(), name="me") as gone:
            assert gone == ()
