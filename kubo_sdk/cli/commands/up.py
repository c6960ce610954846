"""``kubo up``: makes the cluster as its spec wishes it."""

from __future__ import annotations

import argparse
from functools import partial

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cli.session import repeat_with
from kubo_sdk.cluster import Cluster


def run(arguments: argparse.Namespace) -> int:
    def told(cluster: Cluster, summary: Summary) -> str:
        if not summary.steps:
            return f"cluster {cluster.spec.id} is as wished for; there was nothing to do"
        look = f"{repeat_with(arguments, 'status')}, {repeat_with(arguments, 'kubectl -- get nodes')}"
        return f"cluster {cluster.spec.id} is up: {summary.steps} steps in {summary.seconds:.1f} s; look around: {look}"

    return operate(arguments, prepare=lambda cluster: partial(cluster.deploy, force=arguments.force), told=told)
