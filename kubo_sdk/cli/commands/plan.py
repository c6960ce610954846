"""``kubo plan``: shows what ``up`` would do.  Changes nothing."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.session import open_cluster


def run(arguments: argparse.Namespace) -> int:
    plan = open_cluster(arguments).plan()
    if arguments.json:
        print_json(plan.to_dict())
    else:
        print(plan)
    return 0
