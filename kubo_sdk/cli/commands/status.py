"""``kubo status``: how the cluster and each instance is."""

from __future__ import annotations

import argparse
import sys

from kubo_sdk.cli.output import is_terminal, print_json
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.cli.status_tree import print_tree, status_lines
from kubo_sdk.model.status import ClusterStatus

NOT_HEALTHY = 10


def run(arguments: argparse.Namespace) -> int:
    status = open_cluster(arguments).status()
    if arguments.json:
        print_json(status.to_dict())
    else:
        show(status)
    return 0 if status.healthy else NOT_HEALTHY


def show(status: ClusterStatus) -> None:
    """The verdict first, then a row for each instance; below one that is not healthy, everything that is said of it."""
    if is_terminal(sys.stdout):
        print_tree(status)
        return
    for line in status_lines(status):
        print(line)
