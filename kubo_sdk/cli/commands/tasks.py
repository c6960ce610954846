"""``kubo tasks``: what was done to the cluster, newest last."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.output import print_json, print_table
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.model.task import Result, TaskSummary

HEADERS = ("TASK", "OPERATION", "RESULT", "STARTED", "SECONDS", "STEPS", "BY", "ERROR")
STYLES = {Result.FAILED: "red", Result.INTERRUPTED: "red", Result.CANCELLED: "yellow", Result.RUNNING: "bold"}
LONGEST_ERROR = 60


def run(arguments: argparse.Namespace) -> int:
    cluster = open_cluster(arguments)
    tasks = cluster.tasks()
    if arguments.json:
        print_json([task.to_dict() for task in tasks])
    elif not tasks:
        print(f"no task of cluster {cluster.spec.id} is recorded in {cluster.state_dir}")
    else:
        styles = {number: STYLES[task.result] for number, task in enumerate(tasks) if task.result in STYLES}
        print_table(HEADERS, [row(task) for task in tasks], styles=styles)
    return 0


def row(task: TaskSummary) -> tuple[str, ...]:
    """The cells of one task."""
    error = " ".join(task.error.split())
    return (
        str(task.number),
        task.operation,
        str(task.result),
        f"{task.started:%Y-%m-%d %H:%M:%S}",
        f"{task.seconds:.1f}",
        str(task.steps_done),
        who(task),
        error if len(error) <= LONGEST_ERROR else f"{error[: LONGEST_ERROR - 1]}…",
    )


def who(task: TaskSummary) -> str:
    """Who ran the task; a journal of an older version does not know."""
    return f"{task.user}@{task.host} ({task.pid})" if task.host else "-"
