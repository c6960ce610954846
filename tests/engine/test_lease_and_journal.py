"""One writer per cluster, and a journal that may be lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.journal import Journal, read_journal
from kubo_sdk.engine.lease import file_lease
from kubo_sdk.errors import LeaseHeld
from kubo_sdk.events import StepFinished
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


def finished(step: str) -> StepFinished:
    return StepFinished(cluster=CLUSTER, at=SystemClock().now(), step=step, title=step, seconds=1.5)


def test_the_journal_gives_back_what_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", "run-1")
    journal(finished("one"))
    journal(finished("two"))
    journal.close()
    entries = read_journal(tmp_path / "journal.db")
    assert [(entry["run"], entry["event"], entry["step"]) for entry in entries] == [
        ("run-1", "StepFinished", "one"),
        ("run-1", "StepFinished", "two"),
    ]


def test_a_journal_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "journal.db", "run-1")
    journal(finished("one"))
    journal.close()


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none.db") == []
