"""``kubo backup``: takes a backup now."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.commands.backups import size_text
from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.events import BackupTaken, Event


def run(arguments: argparse.Namespace) -> int:
    told: list[BackupTaken] = []

    def observe(event: Event) -> None:
        if isinstance(event, BackupTaken):
            told.append(event)

    cluster = open_cluster(arguments, observers=(observe,))
    backup = cluster.backup()
    if arguments.json:
        print_json({"result": "done", "command": "backup", "cluster": str(cluster.spec.id), **backup.to_dict()})
    else:
        objects, seconds = told[0].objects, told[0].seconds
        print(f"backup {backup.name}: {objects} objects, {size_text(backup.size)}, in {seconds:.1f} s")
    return 0
