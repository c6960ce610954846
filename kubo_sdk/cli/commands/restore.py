"""``kubo restore``: brings back what the cluster had when a backup was taken."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cluster import Cluster


def run(arguments: argparse.Namespace) -> int:
    restored: list[str] = []

    def prepare(cluster: Cluster) -> Callable[[], None]:
        return lambda: restored.append(cluster.restore(arguments.backup, force=arguments.force))

    def told(cluster: Cluster, summary: Summary) -> str:
        return f"cluster {cluster.spec.id} has what backup {restored[0]} holds, after {summary.seconds:.1f} s"

    return operate(arguments, prepare=prepare, told=told)
