"""``kubo rotate``: exchanges authorities and keys of a running cluster."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cluster import Cluster
from kubo_sdk.errors import ConfigError
from kubo_sdk.planning.rotation import ROTATABLE


def run(arguments: argparse.Namespace) -> int:
    asked = ROTATABLE if arguments.all else tuple(arguments.leaves)
    if arguments.renew and (asked or arguments.undo or arguments.until):
        raise ConfigError(["--leaves makes certificates anew and nothing else; give it alone"])
    left: list[str] = []

    def prepare(cluster: Cluster) -> Callable[[], None]:
        return (
            cluster.renew_certificates if arguments.renew else lambda: left.extend(_rotate(cluster, asked, arguments))
        )

    def told(cluster: Cluster, summary: Summary) -> str:
        if left:
            return (
                f"{', '.join(left)} of cluster {cluster.spec.id}: {arguments.until} is done after "
                f"{summary.seconds:.1f} s; go on: kubo rotate, or back: kubo rotate --undo"
            )
        done = "nothing is being rotated any more" if arguments.undo else "rotated"
        return (
            f"cluster {cluster.spec.id}: {done}, after {summary.seconds:.1f} s; kubeconfigs you gave to people may be "
            "of no use now: kubo kubeconfig prints a new one"
        )

    return operate(arguments, prepare=prepare, told=told)


def _rotate(cluster: Cluster, asked: tuple[str, ...], arguments: argparse.Namespace) -> tuple[str, ...]:
    settle = {} if arguments.settle is None else {"settle_seconds": arguments.settle}
    return cluster.rotate(*asked, undo=arguments.undo, until=arguments.until, **settle)
