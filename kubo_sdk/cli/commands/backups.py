"""``kubo backups``: lists the backups there are."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.output import print_json, print_table
from kubo_sdk.cli.session import open_cluster

HEADERS = ("BACKUP", "TAKEN (UTC)", "WHY", "SIZE")


def run(arguments: argparse.Namespace) -> int:
    cluster = open_cluster(arguments)
    found = cluster.backups()
    if arguments.json:
        print_json({"cluster": str(cluster.spec.id), "backups": [each.to_dict() for each in found]})
    elif found:
        rows = [
            (str(each.name), f"{each.name.taken_at:%Y-%m-%d %H:%M:%S}", str(each.name.why), size_text(each.size))
            for each in found
        ]
        print_table(HEADERS, rows, styles={})
    else:
        print(f"cluster {cluster.spec.id} has no backups in {cluster.spec.backup.to}")
    return 0


def size_text(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
