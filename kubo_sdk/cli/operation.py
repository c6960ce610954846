"""Runs an operation that changes a cluster: with progress, with Ctrl-C, with a result at its end."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from attrs import define

from kubo_sdk.cli.interrupt import cancelling
from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.progress import open_progress
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.cluster import Cluster
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.events import Event, OperationFinished, PlanMade


@define
class Summary:
    """What an operation came to.  An observer like any other."""

    steps: int = 0
    seconds: float = 0.0

    def observe(self, event: Event) -> None:
        """Note how many steps there are and how long they took."""
        if isinstance(event, PlanMade):
            self.steps = event.steps
        elif isinstance(event, OperationFinished):
            self.seconds = event.seconds


def operate(
    arguments: argparse.Namespace,
    *,
    prepare: Callable[[Cluster], Callable[[], None] | None],
    told: Callable[[Cluster, Summary], str],
) -> int:
    """Open the cluster, let *prepare* choose what to do (None: nothing), do it, and tell the result.

    With ``--json`` events are lines on standard output, and the result is the last one.
    """
    cancel, summary = CancelToken(), Summary()
    progress = open_progress(json=arguments.json)
    cluster = open_cluster(arguments, observers=(progress.observe, summary.observe), cancel=cancel)
    act = prepare(cluster)
    if act is not None:
        with progress, cancelling(cancel, progress.note):
            act()
    if arguments.json:
        print_json(_result(arguments.command, cluster, summary))
    else:
        print(told(cluster, summary))
    return 0


def _result(command: str, cluster: Cluster, summary: Summary) -> dict[str, Any]:
    return {
        "result": "done",
        "command": command,
        "cluster": str(cluster.spec.id),
        "steps": summary.steps,
        "seconds": round(summary.seconds, 3),
    }
