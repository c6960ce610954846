"""``kubo stop``: takes one instance out of service, until ``kubo start``."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cli.session import repeat_with
from kubo_sdk.cluster import Cluster


def run(arguments: argparse.Namespace) -> int:
    name = arguments.instance

    def told(cluster: Cluster, summary: Summary) -> str:
        back = repeat_with(arguments, f"start {name}")
        return f"{name} of cluster {cluster.spec.id} is stopped after {summary.seconds:.1f} s; to put it back: {back}"

    return operate(arguments, prepare=lambda cluster: lambda: cluster.stop(name, force=arguments.force), told=told)
