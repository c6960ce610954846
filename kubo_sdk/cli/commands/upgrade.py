"""``kubo upgrade``: takes the cluster to another version of Kubernetes, or shows what that would do."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.cluster import Cluster
from kubo_sdk.errors import UnsafePlan
from kubo_sdk.upgrading import UpgradeCheck


def run(arguments: argparse.Namespace) -> int:
    if arguments.check:
        return _check(arguments)

    def told(cluster: Cluster, summary: Summary) -> str:
        if not summary.steps:
            return f"cluster {cluster.spec.id} is as wished for; there was nothing to do"
        wish = arguments.to or str(cluster.spec.kubernetes.version)
        done = f"cluster {cluster.spec.id} runs Kubernetes {wish.removeprefix('v')}"
        if wish.removeprefix("v") == str(cluster.spec.kubernetes.version):
            return done
        return f"{done}; write kubernetes.version: {wish.removeprefix('v')} into its spec"

    def prepare(cluster: Cluster) -> Callable[[], None]:
        def act() -> None:
            cluster.upgrade(arguments.to, through=arguments.through, force=arguments.force)

        return act

    return operate(arguments, prepare=prepare, told=told)


def _check(arguments: argparse.Namespace) -> int:
    found = open_cluster(arguments).check_upgrade(arguments.to, through=arguments.through)
    if arguments.json:
        print_json(_json(found))
    else:
        _print(found)
    return UnsafePlan.exit_code if found.problems else 0


def _print(found: UpgradeCheck) -> None:
    print(f"from Kubernetes {found.running} by {', '.join(map(str, found.links))}")
    for problem in found.problems:
        print(f"in the way: {problem}")
    if found.plan is not None:
        print(found.plan)


def _json(found: UpgradeCheck) -> dict[str, object]:
    return {
        "running": str(found.running),
        "links": [str(version) for version in found.links],
        "problems": list(found.problems),
        "plan": found.plan.to_dict() if found.plan is not None else None,
    }
