"""``kubo check``: what is wrong and what can be done about it; with ``--auto`` or ``--resolution``, does it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from kubo_sdk.cli.interrupt import cancelling
from kubo_sdk.cli.output import print_json, print_table
from kubo_sdk.cli.progress import open_progress
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.cluster import Cluster
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.errors import ConfigError
from kubo_sdk.planning.problems import Problem

NOT_HEALTHY = 10
HEADERS = ("PROBLEM", "WHAT IS SEEN", "RESOLUTIONS")


def run(arguments: argparse.Namespace) -> int:
    wished = resolutions(arguments.resolution)
    if wished or arguments.auto:
        return heal(arguments, wished, auto=arguments.auto)
    cluster = open_cluster(arguments)
    return show(cluster, cluster.check(), arguments)


def resolutions(pairs: Sequence[str]) -> Mapping[str, str]:
    """``PROBLEM-ID=NAME`` each, as a mapping; ConfigError names the ones that are something else."""
    wrong = [pair for pair in pairs if not all(pair.partition("="))]
    if wrong:
        raise ConfigError(
            [f"--resolution {pair!r} must be PROBLEM=NAME, such as failed_unit:worker/0=reboot" for pair in wrong]
        )
    return {name: resolution for name, _, resolution in (pair.rpartition("=") for pair in pairs)}


def heal(arguments: argparse.Namespace, wished: Mapping[str, str], *, auto: bool) -> int:
    """Resolve problems with progress, and show what is left."""
    cancel = CancelToken()
    progress = open_progress(json=arguments.json)
    cluster = open_cluster(arguments, observers=(progress.observe,), cancel=cancel)
    with progress, cancelling(cancel, progress.note):
        left = cluster.heal(wished, auto=auto)
    return show(cluster, left, arguments)


def show(cluster: Cluster, problems: Sequence[Problem], arguments: argparse.Namespace) -> int:
    """A row for each problem, or one object; the exit code says whether there are any."""
    if arguments.json:
        found = [problem.to_dict() for problem in problems]
        told = {"result": "done", "command": arguments.command, "cluster": str(cluster.spec.id)}
        print_json({**told, "healthy": not problems, "problems": found})
    elif problems:
        print_table(HEADERS, [row(problem) for problem in problems], styles={})
    else:
        print(f"cluster {cluster.spec.id} has no problems")
    return NOT_HEALTHY if problems else 0


def row(problem: Problem) -> tuple[str, ...]:
    """The cells of one problem.  The default comes first, what destroys data is marked."""
    names = [f"{each} (loses data)" if problem.destroys(each) else str(each) for each in problem.resolutions]
    return (problem.id, problem.sentence, ", ".join(names))
