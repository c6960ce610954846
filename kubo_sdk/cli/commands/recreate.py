"""``kubo recreate``: replaces the machine of one instance."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cluster import Cluster


def run(arguments: argparse.Namespace) -> int:
    name = arguments.instance

    def told(cluster: Cluster, summary: Summary) -> str:
        return f"{name} of cluster {cluster.spec.id} has a new machine after {summary.seconds:.1f} s"

    return operate(arguments, prepare=lambda cluster: lambda: cluster.recreate(name, force=arguments.force), told=told)
