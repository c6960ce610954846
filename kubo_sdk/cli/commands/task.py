"""``kubo task N``: one task with its steps, what was seen meanwhile, and a picture of who ran when."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from kubo_sdk.cli.commands.tasks import who
from kubo_sdk.cli.output import is_terminal, print_json, print_table
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.errors import HostError
from kubo_sdk.model.task import Result, Task, TaskStep
from kubo_sdk.timeline import Bar, timeline_svg, timeline_text

HEADERS = ("STEP", "RESULT", "START", "SECONDS", "WHY")
STYLES = {Result.FAILED: "red", Result.INTERRUPTED: "red", Result.RUNNING: "bold", None: "dim"}
PLAIN_WIDTH = 100
# What the rows and the header tell already.
TOLD_ELSEWHERE = ("Plan", "PlanMade", "Step", "OperationFinished")
ABOUT_THE_EVENT = frozenset({"event", "cluster", "at"})


def run(arguments: argparse.Namespace) -> int:
    task = open_cluster(arguments).task(arguments.number)
    if arguments.svg is not None:
        _write(arguments.svg, timeline_svg(bars(task), task.summary.seconds))
    if arguments.json:
        print_json(task.to_dict())
    else:
        show(task)
    return 0


def show(task: Task) -> None:
    """The header, what was seen, the steps, the picture."""
    for line in (*_header(task), *seen(task)):
        print(line)
    if not task.steps:
        return
    print()
    styles = {number: STYLES[step.result] for number, step in enumerate(task.steps) if step.result in STYLES}
    print_table(HEADERS, [_row(step) for step in task.steps], styles=styles)
    drawn = bars(task)
    if drawn:
        print()
        terminal = is_terminal(sys.stdout)
        width = shutil.get_terminal_size().columns if terminal else PLAIN_WIDTH
        fine = terminal and (sys.stdout.encoding or "").lower().startswith("utf")
        for line in timeline_text(drawn, task.summary.seconds, width=width, mark="█" if fine else "#"):
            print(line)


def bars(task: Task) -> tuple[Bar, ...]:
    """The steps that started, as bars."""
    bad = {Result.FAILED, Result.INTERRUPTED}
    return tuple(
        Bar(label=step.step, start=step.start, seconds=step.seconds, needs=step.needs, failed=step.result in bad)
        for step in task.steps
        if step.start is not None
    )


def seen(task: Task) -> Iterator[str]:
    """Everything that was told besides plans and steps: when, what, and its own fields."""
    for event in task.events:
        if not event["event"].startswith(TOLD_ELSEWHERE):
            after = (datetime.fromisoformat(event["at"]) - task.summary.started).total_seconds()
            yield f"{after:7.1f} s  {event['event']}: {_fields(event)}"


def _fields(event: dict[str, Any] | Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in event.items() if key not in ABOUT_THE_EVENT and value != "")


def _header(task: Task) -> Iterator[str]:
    summary = task.summary
    yield f"task {summary.number}: {summary.operation}, {summary.result} after {summary.seconds:.1f} s"
    yield f"{summary.started:%Y-%m-%d %H:%M:%S} UTC, by {who(summary)}"
    yield f"{summary.steps_done} of {len(task.steps)} steps done"
    if summary.error:
        yield f"error: {' '.join(summary.error.split())}"


def _row(step: TaskStep) -> tuple[str, ...]:
    tries = f" ({step.retries} retries)" if step.retries else ""
    if step.start is None:
        return (step.step, "not started", "", "", step.reason)
    why = f"{step.reason}; {step.error}" if step.error else step.reason
    return (step.step, f"{step.result}{tries}", f"{step.start:.1f}", f"{step.seconds:.1f}", " ".join(why.split()))


def _write(path: Path, picture: str) -> None:
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}; choose another path") from None
