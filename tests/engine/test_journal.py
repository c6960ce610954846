"""A journal of tasks: readable while one runs, whole after a kill, bounded, and lost without harm."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from kubo_sdk.engine import journal_file
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.journal import Journal
from kubo_sdk.errors import HostError, NotFound
from kubo_sdk.events import OperationFinished, StepFailed, StepFinished, StepRetried, StepStarted
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.task import Result, Task
from kubo_sdk.planning.plan import Effect, Plan, Step, Verb
from kubo_sdk.tasks import read_task, read_tasks

CLUSTER = ClusterId(director="d", name="c")

WORKER = """
import os, signal, sys
from pathlib import Path
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.journal import Journal
from kubo_sdk.events import StepStarted
from kubo_sdk.model.instance import ClusterId
clock = SystemClock()
journal = Journal(Path(sys.argv[1]))
journal.begin("deploy", clock.now())
cluster = ClusterId(director="d", name="c")
journal(StepStarted(cluster=cluster, at=clock.now(), step="a", title="a"))
print("begun", flush=True)
while True:
    journal(StepStarted(cluster=cluster, at=clock.now(), step="b", title="b"))
"""


def now() -> datetime:
    return SystemClock().now()


def plan(*instances: str) -> Plan:
    steps = (Step(verb=Verb.CREATE_VM, instance=each, reason="it is gone", effect=Effect.CREATE) for each in instances)
    return Plan(cluster=CLUSTER, operation="deploy", steps=tuple(steps))


def about(step: str) -> dict[str, object]:
    return {"cluster": CLUSTER, "at": now(), "step": step, "title": step, "instance": step.rsplit(maxsplit=1)[-1]}


def record(path: Path, result: str = "done", error: str = "") -> Task:
    """A task with a step that ended well after a second try, one that failed, and one that never started."""
    journal = Journal(path)
    journal.begin("deploy", now())
    journal.planned(plan("worker/0", "worker/1", "worker/2"), now())
    for instance in ("worker/0", "worker/1"):
        journal(StepStarted(**about(f"create vm {instance}")))
    journal(StepRetried(**about("create vm worker/0"), reason="busy", delay=0.1))
    journal(StepFinished(**about("create vm worker/0"), seconds=1.5))
    journal(StepFailed(**about("create vm worker/1"), seconds=2.5, error="no room"))
    journal(OperationFinished(cluster=CLUSTER, at=now(), operation="deploy", seconds=3.0, error=error))
    journal.end(result, error, now())
    return read_task(path, CLUSTER, read_tasks(path)[-1].number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c" / "journal.db"


def test_a_task_tells_what_was_planned_and_what_became_of_it(path: Path) -> None:
    task = record(path, "failed", "no room")
    first, second, third = task.steps
    assert (first.step, first.reason, first.result, first.seconds) == ("create vm worker/0", "it is gone", "done", 1.5)
    assert first.retries == 1
    assert (second.result, second.error) == (Result.FAILED, "no room")
    assert (third.step, third.start, third.result) == ("create vm worker/2", None, None)
    summary = task.summary
    assert (summary.number, summary.operation, summary.result) == (1, "deploy", Result.FAILED)
    assert (summary.steps_done, summary.error, summary.pid) == (1, "no room", os.getpid())
    assert summary.user
    assert json.loads(json.dumps(task.to_dict()))["events"][0]["event"] == "Plan"


def test_tasks_are_numbered_in_their_order(path: Path) -> None:
    for _ in range(3):
        record(path)
    assert [(task.number, task.result) for task in read_tasks(path)] == [(1, "done"), (2, "done"), (3, "done")]


def test_a_missing_task_is_told_with_those_there_are(path: Path) -> None:
    with pytest.raises(NotFound, match="no task of cluster d/c is recorded"):
        read_task(path, CLUSTER, 1)
    assert read_tasks(path) == ()
    assert not path.exists()
    record(path)
    with pytest.raises(NotFound, match="cluster d/c has no task 9; its journal has only task 1"):
        read_task(path, CLUSTER, 9)
    record(path)
    with pytest.raises(NotFound, match="cluster d/c has no task 0; its journal has the tasks 1 to 2"):
        read_task(path, CLUSTER, 0)


def test_a_task_can_be_read_while_it_runs_and_counts_as_interrupted_after_a_kill(path: Path) -> None:
    """The process writes all the time, so the kill meets it in the middle of a write."""
    for number in range(1, 6):
        with subprocess.Popen([sys.executable, "-c", WORKER, str(path)], stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"begun\n"
                running = read_task(path, CLUSTER, number)
                assert (running.summary.result, running.summary.pid) == (Result.RUNNING, process.pid)
                assert running.steps[0].result is Result.RUNNING
            finally:
                process.send_signal(signal.SIGKILL)
        task = read_task(path, CLUSTER, number)
        assert (task.summary.result, task.summary.ended) == (Result.INTERRUPTED, None)
        assert task.steps[0].result is Result.INTERRUPTED
    assert record(path).summary.number == 6
    assert [task.result for task in read_tasks(path)] == ["interrupted"] * 5 + ["done"]


def test_an_unfinished_task_before_another_is_interrupted_though_its_process_lives(path: Path) -> None:
    """One operation follows the other; a library's process may go on after one that was aborted."""
    journal = Journal(path)
    journal.begin("deploy", now())
    journal.close()
    assert read_tasks(path)[0].result is Result.RUNNING
    record(path)
    assert [task.result for task in read_tasks(path)] == ["interrupted", "done"]


def test_a_process_that_took_over_the_number_is_not_taken_for_the_old_one(path: Path) -> None:
    journal = Journal(path)
    journal.begin("deploy", now())
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE tasks SET born = 'another boot'")
    assert read_tasks(path)[0].result is Result.INTERRUPTED


def test_old_tasks_are_forgotten_and_their_numbers_stay_theirs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "KEPT_TASKS", 3)
    for _ in range(6):
        record(path)
    assert [task.number for task in read_tasks(path)] == [3, 4, 5, 6]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT COUNT(DISTINCT run) FROM events").fetchone() == (4,)


def test_the_events_kept_are_bounded_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "KEPT_EVENTS", 10)
    for _ in range(6):
        record(path)
    assert [task.number for task in read_tasks(path)] == [4, 5, 6]
    assert all(len(read_task(path, CLUSTER, number).events) == 7 for number in (4, 5, 6))


def test_a_journal_of_an_older_version_opens_with_its_runs_as_tasks(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE events (id INTEGER PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,"
            " body TEXT NOT NULL)"
        )
        at = "2026-01-01T00:00:0{}+00:00"
        step = {"cluster": "d/c", "step": "a", "title": "a", "instance": None}
        for run, error in (("x", ""), ("y", "boom")):
            told = [
                {"event": "PlanMade", "at": at.format(0), "cluster": "d/c", "operation": "deploy", "steps": 1},
                {"event": "StepStarted", "at": at.format(1), **step},
                {"event": "StepFinished", "at": at.format(3), "seconds": 2.0, **step},
                {"event": "OperationFinished", "at": at.format(4), "operation": "deploy", "seconds": 4, "error": error},
            ]
            rows = [(run, body["at"], body["event"], json.dumps(body)) for body in told]
            connection.executemany("INSERT INTO events (run, at, kind, body) VALUES (?, ?, ?, ?)", rows)
        connection.execute("DELETE FROM events WHERE run = 'y' AND kind = 'StepFinished'")
        connection.execute(
            "INSERT INTO events (run, at, kind, body) VALUES ('z', ?, 'PlanMade', ?)",
            (at.format(5), json.dumps({"event": "PlanMade", "at": at.format(5), "operation": "delete", "steps": 1})),
        )
    found = [(task.number, task.operation, task.result, task.seconds) for task in read_tasks(path)]
    assert found == [(1, "deploy", "done", 4.0), (2, "deploy", "failed", 4.0), (3, "delete", "interrupted", 0.0)]
    assert [(step.step, step.start, step.seconds) for step in read_task(path, CLUSTER, 1).steps] == [("a", 1.0, 2.0)]
    assert record(path).summary.number == 4


def test_a_journal_is_its_owners_alone(path: Path) -> None:
    journal = Journal(path)
    journal.begin("deploy", now())
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    journal.close()
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_journal_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "journal.db")
    journal.begin("deploy", now())
    journal(StepFinished(**about("one"), seconds=1.0))
    journal.end("done", "", now())


def test_a_journal_that_is_no_journal_is_told_in_a_sentence(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("this is no database, and it is long enough to be read as one" * 100)
    with pytest.raises(HostError, match=r"journal\.db cannot be read: .*; it is history only and may be removed"):
        read_tasks(path)


def test_a_journal_whose_directory_went_meanwhile_ends_without_trouble(path: Path) -> None:
    journal = Journal(path)
    journal.begin("delete", now())
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    journal(StepFinished(**about("one"), seconds=1.0))
    journal.end("done", "", now())
    assert not path.parent.exists()
