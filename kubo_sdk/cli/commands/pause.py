"""``kubo pause``: has every director leave the cluster, or one instance, alone."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.session import open_cluster


def run(arguments: argparse.Namespace) -> int:
    cluster = open_cluster(arguments)
    cluster.pause(arguments.instance)
    if arguments.json:
        told = {"result": "done", "command": "pause", "cluster": str(cluster.spec.id)}
        print_json({**told, "instance": arguments.instance})
    else:
        name = arguments.instance
        print(f"{name or f'cluster {cluster.spec.id}'} is left alone until kubo resume {name or ''}".rstrip())
    return 0
