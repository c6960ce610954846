"""``kubo restart``: restarts what runs on one instance, after moving away what it serves."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cluster import Cluster


def run(arguments: argparse.Namespace) -> int:
    name = arguments.instance

    def told(cluster: Cluster, summary: Summary) -> str:
        return f"{name} of cluster {cluster.spec.id} serves again after {summary.seconds:.1f} s"

    return operate(arguments, prepare=lambda cluster: lambda: cluster.restart(name, force=arguments.force), told=told)
