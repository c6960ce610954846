"""What people and programs see while an operation runs."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from kubo_sdk.cli.progress.board import Board, Line, Mark
from kubo_sdk.cli.progress.jsonlines import JsonLines
from kubo_sdk.cli.progress.live import Live, fitting
from kubo_sdk.cli.progress.plain import Plain
from kubo_sdk.events import (
    Event,
    OperationFinished,
    PlanMade,
    StepFailed,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
)
from kubo_sdk.model.instance import ClusterId

CLUSTER = ClusterId(director="kubo", name="demo")
START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def planned(steps: int) -> Event:
    return PlanMade(cluster=CLUSTER, at=START, operation="deploy", steps=steps)


def started(second: float, verb: str, instance: str | None = None) -> Event:
    step = f"{verb} {instance}" if instance else verb
    return StepStarted(cluster=CLUSTER, at=at(second), step=step, title=step, instance=instance)


def progress(second: float, verb: str, message: str, instance: str) -> Event:
    step = f"{verb} {instance}"
    return StepProgress(cluster=CLUSTER, at=at(second), step=step, title=step, message=message, instance=instance)


def retried(second: float, verb: str, instance: str) -> Event:
    step = f"{verb} {instance}"
    return StepRetried(
        cluster=CLUSTER, at=at(second), step=step, title=step, reason="no answer", delay=0.5, instance=instance
    )


def finished(second: float, verb: str, instance: str | None = None) -> Event:
    step = f"{verb} {instance}" if instance else verb
    return StepFinished(cluster=CLUSTER, at=at(second), step=step, title=step, seconds=1.5, instance=instance)


def failed(second: float, verb: str, instance: str) -> Event:
    step = f"{verb} {instance}"
    return StepFailed(
        cluster=CLUSTER, at=at(second), step=step, title=step, error="disk full", seconds=2.0, instance=instance
    )


def ended(second: float, error: str = "") -> Event:
    return OperationFinished(cluster=CLUSTER, at=at(second), operation="deploy", seconds=second, error=error)


STORY = [
    planned(4),
    started(0.1, "issue authorities"),
    finished(0.4, "issue authorities"),
    started(0.5, "create vm", "worker/10"),
    started(0.5, "create vm", "worker/9"),
    started(0.6, "create vm", "etcd/0"),
    progress(0.7, "create vm", "mounting its root", "worker/10"),
    retried(0.9, "create vm", "worker/9"),
    failed(1.0, "create vm", "etcd/0"),
]


def board(events: list[Event]) -> Board:
    found = Board()
    for event in events:
        found.see(event)
    return found


def test_the_board_tells_what_everybody_is_doing_and_since_when() -> None:
    assert board(STORY).lines() == (
        Line(subject="cluster", mark=Mark.WAITING, text="issue authorities: done"),
        Line(subject="worker/9", mark=Mark.RETRYING, text="create vm: again in 0.5 s: no answer", since=at(0.5)),
        Line(subject="worker/10", mark=Mark.RUNNING, text="create vm: mounting its root", since=at(0.5)),
        Line(subject="etcd/0", mark=Mark.FAILED, text="create vm: disk full"),
    )


def test_the_board_counts_steps() -> None:
    found = board(STORY)
    assert (found.operation, found.planned, found.ended) == ("deploy kubo/demo", 4, 2)


def test_the_newest_of_several_steps_is_shown_and_the_older_again_once_it_ended() -> None:
    story = [planned(2), started(1, "configure", "etcd/0"), started(2, "start", "etcd/0")]
    assert board(story).lines()[0].text == "start"
    assert board([*story, finished(3, "start", "etcd/0")]).lines()[0].text == "configure"


def test_a_retried_step_that_goes_on_is_running_again() -> None:
    story = [planned(1), started(1, "start", "etcd/0"), retried(2, "start", "etcd/0")]
    assert board(story).lines()[0].mark is Mark.RETRYING
    assert board([*story, progress(3, "start", "waiting for a leader", "etcd/0")]).lines()[0].mark is Mark.RUNNING


def test_everybody_is_done_only_when_the_operation_succeeded() -> None:
    story = [planned(1), started(1, "start", "etcd/0"), finished(2, "start", "etcd/0")]
    assert board(story).lines()[0].mark is Mark.WAITING
    assert board([*story, ended(3)]).lines()[0].mark is Mark.DONE
    assert board([*story, ended(3, "stopped")]).lines()[0].mark is Mark.WAITING


def test_without_a_terminal_every_event_is_one_line() -> None:
    out = io.StringIO()
    plain = Plain(out)
    for event in [*STORY, ended(1.2, "create vm etcd/0: disk full")]:
        plain.observe(event)
    plain.note("stopping")
    assert out.getvalue().splitlines() == [
        "    0.0 s  deploy kubo/demo: 4 steps",
        "    0.1 s  cluster      issue authorities",
        "    0.4 s  cluster      issue authorities: done in 1.5 s",
        "    0.5 s  worker/10    create vm",
        "    0.5 s  worker/9     create vm",
        "    0.6 s  etcd/0       create vm",
        "    0.7 s  worker/10    create vm: mounting its root",
        "    0.9 s  worker/9     create vm: again in 0.5 s: no answer",
        "    1.0 s  etcd/0       create vm: failed after 2.0 s: disk full",
        "    1.2 s  deploy kubo/demo: failed after 1.2 s",
        "kubo: stopping",
    ]


def test_for_programs_every_event_is_one_json_object() -> None:
    out, aside = io.StringIO(), io.StringIO()
    lines = JsonLines(out, aside)
    for event in STORY:
        lines.observe(event)
    lines.note("stopping")
    objects = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [each["event"] for each in objects] == [type(event).__name__ for event in STORY]
    assert objects[0] == {
        "event": "PlanMade",
        "cluster": "kubo/demo",
        "at": "2024-05-01T12:00:00+00:00",
        "operation": "deploy",
        "steps": 4,
    }
    assert aside.getvalue() == "kubo: stopping\n"


def test_the_live_table_shows_a_row_for_each_machine() -> None:
    live = Live(io.StringIO(), now=lambda: at(2.5))
    for event in STORY:
        live.observe(event)
    live.note("stopping")
    live._console.width, live._console.height = 60, 25
    with live._console.capture() as captured:
        live._console.print(live.render())
    lines = [line.rstrip() for line in captured.get().splitlines()]
    assert lines[0] == "deploy kubo/demo  2/4 steps  2.5 s"
    assert [line.split()[1] for line in lines[1:5]] == ["cluster", "worker/9", "worker/10", "etcd/0"]
    assert lines[3].endswith("create vm: mounting its root               2.0 s")
    assert lines[5] == "stopping"
    assert max(map(len, lines)) <= 60


def test_a_small_terminal_shows_those_that_fail_or_run_first() -> None:
    marks = [Mark.WAITING, Mark.RUNNING, Mark.DONE, Mark.FAILED, Mark.RUNNING]
    lines = tuple(Line(subject=f"worker/{number}", mark=mark, text="") for number, mark in enumerate(marks))
    assert [line.subject for line in fitting(lines, 4)] == ["worker/1", "worker/3", "worker/4"]
    assert fitting(lines, 5) == lines
    assert fitting(lines, 0) == ()


SCRIPT = """
import sys
from datetime import UTC, datetime
from kubo_sdk.cli.progress import open_progress
from kubo_sdk.events import PlanMade, StepStarted
from kubo_sdk.model.instance import ClusterId
cluster, at = ClusterId(director="kubo", name="demo"), datetime.now(UTC)
with open_progress(json="--json" in sys.argv) as progress:
    progress.observe(PlanMade(cluster=cluster, at=at, operation="deploy", steps=7))
    step = "create vm worker/0"
    progress.observe(StepStarted(cluster=cluster, at=at, step=step, title=step, instance="worker/0"))
print("rich" if "rich" in sys.modules else "no rich")
"""


def on_a_terminal(*arguments: str, **environment: str) -> tuple[str, str]:
    """Standard output (a pipe) and standard error (a terminal) of the script."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SCRIPT, *arguments]
    settings = {**os.environ, "TERM": "xterm-256color", **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=settings, text=True) as process:
        os.close(theirs)
        told = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            told += chunk
        assert process.stdout is not None
        output = process.stdout.read()
    os.close(ours)
    return output, told.decode()


def test_a_terminal_gets_the_live_table_and_its_cursor_back() -> None:
    output, told = on_a_terminal()
    assert output == "rich\n"
    assert "deploy kubo/demo" in told
    assert "worker/0" in told
    assert told.rindex("\x1b[?25h") > told.rindex("\x1b[?25l")


@pytest.mark.parametrize(("arguments", "variables"), [((), {"TERM": "dumb"}), (("--json",), {})])
def test_rich_is_not_imported_where_it_is_not_shown(arguments: tuple[str, ...], variables: dict[str, str]) -> None:
    output, told = on_a_terminal(*arguments, **variables)
    assert output.splitlines()[-1] == "no rich"
    assert "\x1b" not in told


def test_no_color_is_heeded() -> None:
    assert "\x1b[1m" in on_a_terminal()[1]
    styles = [code for code in ("\x1b[31m", "\x1b[32m", "\x1b[33m") if code in on_a_terminal(NO_COLOR="1")[1]]
    assert styles == []
