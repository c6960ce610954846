"""``kubo ssh``: a shell on an instance."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.session import open_cluster

LOGIN = ("sh", "-c", "command -v bash >/dev/null && exec bash -l; exec sh -l")


def run(arguments: argparse.Namespace) -> int:
    code = open_cluster(arguments).shell(arguments.instance).interact(LOGIN)
    if arguments.json:
        print_json({"instance": arguments.instance, "exit_code": code})
    return code
