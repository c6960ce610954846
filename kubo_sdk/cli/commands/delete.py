"""``kubo delete``: takes the cluster away, after asking."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cluster import Cluster
from kubo_sdk.errors import Cancelled, ConfigError


def run(arguments: argparse.Namespace) -> int:
    def prepare(cluster: Cluster) -> Callable[[], None]:
        if arguments.yes:
            return lambda: cluster.delete(keep_disks=arguments.keep_disks)
        if arguments.json or not sys.stdin.isatty():
            raise ConfigError(["delete asks before it acts, and there is nobody to ask; add --yes"])
        plan = cluster.plan_delete(keep_disks=arguments.keep_disks)
        print(plan)
        confirm(str(cluster.spec.name))
        return lambda: cluster.apply(plan)

    def told(cluster: Cluster, summary: Summary) -> str:
        kept = "; its disks and credentials are kept" if arguments.keep_disks else ""
        return f"cluster {cluster.spec.id} is gone: {summary.steps} steps in {summary.seconds:.1f} s{kept}"

    return operate(arguments, prepare=prepare, told=told)


def confirm(name: str) -> None:
    """Have the user type the cluster's name; Cancelled otherwise."""
    try:
        answer = input(f"type {name} to delete the cluster: ")
    except EOFError:
        answer = ""
    if answer.strip() != name:
        raise Cancelled("nothing was deleted")
