"""Reads the journal: the tasks of a cluster, while one of them may be running in another process."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from kubo_sdk.engine.journal import PLAN
from kubo_sdk.engine.journal_file import open_journal
from kubo_sdk.engine.process import ProcessName, is_running
from kubo_sdk.errors import HostError, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.task import Result, Task, TaskStep, TaskSummary

if TYPE_CHECKING:
    import sqlite3

_SUMMARIES = """
SELECT number, operation, user, host, pid, born, started, ended, result, error, run,
    (SELECT COUNT(*) FROM events WHERE events.run = tasks.run AND kind = 'StepFinished'),
    (SELECT MAX(at) FROM events WHERE events.run = tasks.run),
    number = (SELECT MAX(number) FROM tasks)
FROM tasks
"""

_ENDS = {"StepFinished": Result.DONE, "StepFailed": Result.FAILED}


def read_tasks(path: Path) -> tuple[TaskSummary, ...]:
    """Every task of the journal at *path*, oldest first; empty when there is no journal."""
    if not path.exists():
        return ()
    with _opened(path) as connection:
        return tuple(_summary(row) for row in connection.execute(f"{_SUMMARIES} ORDER BY number"))


def has_unfinished(path: Path, operations: Collection[str]) -> bool:
    """Whether the last task was one of *operations* and did not end well: it may have left something half done."""
    tasks = read_tasks(path)
    return bool(tasks) and tasks[-1].operation in operations and tasks[-1].result not in (Result.DONE, Result.RUNNING)


def read_task(path: Path, cluster: ClusterId, number: int) -> Task:
    """One task.  NotFound names those there are."""
    if not path.exists():
        raise NotFound(f"no task of cluster {cluster} is recorded in {path.parent}; deploy the cluster first")
    with _opened(path) as connection:
        row = connection.execute(f"{_SUMMARIES} WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise NotFound(_no_such_task(connection, cluster, number))
        bodies = connection.execute("SELECT body FROM events WHERE run = ? ORDER BY id", (row[10],)).fetchall()
    events = tuple(json.loads(body) for (body,) in bodies)
    summary = _summary(row)
    return Task(summary=summary, steps=tuple(_steps(events, summary)), events=events)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    import sqlite3  # noqa: PLC0415 - not needed by programs that only plan

    try:
        with closing(open_journal(path)) as connection:
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise HostError(f"the journal {path} cannot be read: {error}; it is history only and may be removed") from None


def _no_such_task(connection: sqlite3.Connection, cluster: ClusterId, number: int) -> str:
    first, last = connection.execute("SELECT MIN(number), MAX(number) FROM tasks").fetchone()
    if first is None:
        return f"cluster {cluster} has no tasks yet; deploy the cluster first"
    there = f"only task {first}" if first == last else f"the tasks {first} to {last}"
    return f"cluster {cluster} has no task {number}; its journal has {there}"


def _summary(row: tuple[Any, ...]) -> TaskSummary:
    number, operation, user, host, pid, born, started, ended, result, error, _run, steps, last, newest = row
    begin = datetime.fromisoformat(started)
    end = datetime.fromisoformat(ended) if ended else None
    seen = end or (datetime.fromisoformat(last) if last else begin)
    process = ProcessName(user=user, host=host, pid=pid, born=born)
    return TaskSummary(
        number=number,
        operation=operation,
        result=Result(result) if result else _unended(process, newest=bool(newest)),
        user=user,
        host=host,
        pid=pid,
        started=begin,
        ended=end,
        seconds=max(0.0, (seen - begin).total_seconds()),
        steps_done=steps,
        error=error,
    )


def _unended(process: ProcessName, *, newest: bool) -> Result:
    """One operation of a cluster follows the other, so only the newest can be running."""
    running = newest and bool(process.host) and is_running(process)
    return Result.RUNNING if running else Result.INTERRUPTED


def _steps(events: tuple[Mapping[str, Any], ...], summary: TaskSummary) -> Iterator[TaskStep]:
    """The steps of the task: those that started in that order, then those that never did."""
    planned: dict[str, TaskStep] = {}
    started: dict[str, TaskStep] = {}
    order: list[TaskStep] = []
    for event in events:
        kind = event["event"]
        if kind == PLAN:
            planned |= {step["id"]: _planned(step) for step in event["steps"]}
        elif kind == "StepStarted":
            blank = planned.pop(event["step"], None) or TaskStep(step=event["step"], instance=event["instance"])
            started[event["step"]] = attrs.evolve(blank, start=_since(summary, event))
        elif event.get("step") in started:
            step = _told(started[event["step"]], event)
            started[event["step"]] = step
            if kind in _ENDS:
                order.append(started.pop(event["step"]))
    open_end = Result.RUNNING if summary.result is Result.RUNNING else Result.INTERRUPTED
    order += [_open(step, open_end, summary.seconds) for step in started.values()]
    yield from sorted(order, key=lambda step: step.start or 0.0)
    yield from planned.values()


def _open(step: TaskStep, result: Result, until: float) -> TaskStep:
    return attrs.evolve(step, result=result, seconds=max(0.0, until - (step.start or 0.0)))


def _planned(step: Mapping[str, Any]) -> TaskStep:
    return TaskStep(
        step=step["id"],
        instance=step["instance"],
        reason=step["reason"],
        effect=step["effect"],
        needs=tuple(step["needs"]),
    )


def _told(step: TaskStep, event: Mapping[str, Any]) -> TaskStep:
    """*step* after what *event* says about it."""
    kind = event["event"]
    if kind == "StepRetried":
        return attrs.evolve(step, retries=step.retries + 1)
    if kind in _ENDS:
        return attrs.evolve(step, result=_ENDS[kind], seconds=event["seconds"], error=event.get("error", ""))
    return step


def _since(summary: TaskSummary, event: Mapping[str, Any]) -> float:
    return max(0.0, (datetime.fromisoformat(event["at"]) - summary.started).total_seconds())
