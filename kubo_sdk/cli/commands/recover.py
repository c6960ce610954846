"""``kubo recover``: goes on with the data of one etcd member after the majority is lost."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cluster import Cluster


def run(arguments: argparse.Namespace) -> int:
    def told(cluster: Cluster, summary: Summary) -> str:
        return f"etcd of cluster {cluster.spec.id} serves again after {summary.seconds:.1f} s"

    return operate(
        arguments,
        prepare=lambda cluster: lambda: cluster.recover_etcd(arguments.survivor, force=arguments.force),
        told=told,
    )
