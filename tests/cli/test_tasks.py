"""kubo tasks and kubo task N, over a journal as an operation writes it."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubo_sdk.engine.journal import Journal
from kubo_sdk.events import LeaseLost, StepFailed, StepFinished, StepStarted
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.planning.plan import Effect, Plan, Step, Verb

CLUSTER = ClusterId(director="kubo", name="demo")
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def created(instance: str) -> dict[str, object]:
    return {"cluster": CLUSTER, "step": f"create vm {instance}", "title": f"create vm {instance}", "instance": instance}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A spec and a journal with three tasks: one done, one failed, one that runs in this process."""
    (tmp_path / "cluster.yml").write_text("name: demo\nkubernetes: {version: 1.20.2}\n")
    path = tmp_path / "state" / "clusters" / "kubo" / "demo" / "journal.db"
    step = Step(verb=Verb.CREATE_VM, instance="worker/0", reason="it has no machine", effect=Effect.CREATE)
    for number, error in enumerate(("", "no room\nin the cloud", "")):
        journal = Journal(path)
        journal.begin("deploy", at(0))
        journal.planned(Plan(cluster=CLUSTER, operation="deploy", steps=(step,)), at(0))
        journal(StepStarted(at=at(1), **created("worker/0")))
        if error:
            journal(StepFailed(at=at(5), seconds=4.0, error=error, **created("worker/0")))
            journal(LeaseLost(cluster=CLUSTER, at=at(6), reason="somebody else"))
        else:
            journal(StepFinished(at=at(3), seconds=2.0, **created("worker/0")))
        if number < 2:
            journal.end("failed" if error else "done", error, at(8))
        else:
            journal.close()
    return tmp_path


def kubo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kubo_sdk", "--state", str(home / "state"), *arguments]
    return subprocess.run(command, capture_output=True, check=False, cwd=home, text=True, timeout=60)


def test_tasks_are_a_row_each(home: Path) -> None:
    lines = kubo(home, "tasks").stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["1", "deploy", "done"],
        ["2", "deploy", "failed"],
        ["3", "deploy", "running"],
    ]
    assert "no room in the cloud" in lines[2]
    found = json.loads(kubo(home, "tasks", "--json").stdout)
    assert [(task["number"], task["result"], task["seconds"]) for task in found] == [
        (1, "done", 8.0),
        (2, "failed", 8.0),
        (3, "running", 3.0),
    ]


def test_a_task_tells_its_steps_what_was_seen_and_draws_them(home: Path) -> None:
    told = kubo(home, "task", "2")
    assert told.returncode == 0
    assert told.stdout.startswith("task 2: deploy, failed after 8.0 s\n2026-05-01 12:00:00 UTC, by ")
    assert "error: no room in the cloud\n" in told.stdout
    assert "    6.0 s  LeaseLost: reason somebody else\n" in told.stdout
    assert "create vm worker/0  failed  1.0    4.0      it has no machine; no room in the cloud\n" in told.stdout
    drawn = told.stdout.splitlines()[-2]
    assert drawn.split() == ["create", "vm", "worker/0", "!" * 36, "4.0", "s"]
    assert told.stdout.isascii()
    assert max(len(line) for line in told.stdout.splitlines()) <= 100


def test_a_task_as_json_has_everything(home: Path) -> None:
    (step,) = json.loads(kubo(home, "task", "1", "--json").stdout)["steps"]
    assert (step["step"], step["reason"], step["start"], step["seconds"], step["result"]) == (
        "create vm worker/0",
        "it has no machine",
        1.0,
        2.0,
        "done",
    )


def test_the_picture_is_written_as_svg(home: Path) -> None:
    assert kubo(home, "task", "1", "--svg", str(home / "a.svg")).returncode == 0
    assert (home / "a.svg").read_text().startswith("<svg")
    refused = kubo(home, "task", "1", "--svg", str(home / "no" / "a.svg"))
    assert refused.returncode == 4
    assert refused.stderr.endswith("a.svg cannot be written: No such file or directory; choose another path\n")


def test_a_task_that_is_not_there_is_one_sentence(home: Path) -> None:
    told = kubo(home, "task", "9")
    assert told.returncode == 9
    assert told.stderr == "kubo: cluster kubo/demo has no task 9; its journal has the tasks 1 to 3\n"
    assert kubo(home, "task", "one").returncode == 2


def test_without_a_journal_there_is_one_sentence(home: Path) -> None:
    empty = home / "empty"
    empty.mkdir()
    (empty / "cluster.yml").write_text((home / "cluster.yml").read_text())
    told = kubo(empty, "tasks")
    assert (told.returncode, told.stdout) == (0, f"no task of cluster kubo/demo is recorded in {empty / 'state'}\n")
    assert json.loads(kubo(empty, "tasks", "--json").stdout) == []
    assert kubo(empty, "task", "1").stderr.startswith("kubo: no task of cluster kubo/demo is recorded in ")
    assert not (empty / "state").exists()


def test_a_terminal_gets_a_picture_of_its_width(home: Path) -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "60", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "kubo_sdk", "--state", str(home / "state"), "task", "1"]
    with subprocess.Popen(command, stdout=follower, cwd=home, env=environment) as process:
        os.close(follower)
        shown = io.BytesIO()
        while True:
            try:
                shown.write(os.read(leader, 4096))
            except OSError:
                break
        process.wait()
    os.close(leader)
    drawn = [line for line in shown.getvalue().decode().splitlines() if "█" in line]
    assert [len(line) for line in drawn] == [60]
