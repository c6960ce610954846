"""``kubo monitor``: watches the cluster and repairs it, a line for each event, until it is told to stop."""

from __future__ import annotations

import argparse
import sys

from kubo_sdk.cli.interrupt import cancelling
from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.progress.jsonlines import JsonLines
from kubo_sdk.cli.progress.plain import Plain
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.engine.cancel import CancelToken


def run(arguments: argparse.Namespace) -> int:
    cancel = CancelToken()
    progress = JsonLines(sys.stdout, sys.stderr) if arguments.json else Plain(sys.stderr)
    cluster = open_cluster(arguments, observers=(progress.observe,), cancel=cancel)
    with progress, cancelling(cancel, progress.note):
        if not arguments.json:
            progress.note(f"watching cluster {cluster.spec.id}")
        cluster.monitor(once=arguments.once)
    if arguments.json:
        print_json({"result": "done", "command": "monitor", "cluster": str(cluster.spec.id)})
    return 0
