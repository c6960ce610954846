"""``kubo plugins``: what is installed, what it offers, and what is broken and why."""

from __future__ import annotations

import argparse
from typing import Any

from kubo_sdk.cli.output import print_json, print_table
from kubo_sdk.plugins import Plugins

HEADERS = ("PORT", "NAME", "DISTRIBUTION", "STATUS", "SUMMARY")
STYLES = {"broken": "red", "clash": "red", "left out": "dim"}


def run(arguments: argparse.Namespace) -> int:
    rows = Plugins().describe()
    if arguments.json:
        print_json(rows)
        return 0
    styles = {number: STYLES[row["status"]] for number, row in enumerate(rows) if row["status"] in STYLES}
    print_table(HEADERS, [cells(row) for row in rows], styles=styles)
    return 0


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One plugin or provider as a row of text."""
    source = f"{row['distribution']} {row['version']}".strip()
    return (row["port"] or "-", row["name"] or "-", source or "-", row["status"], row["reason"] or row["summary"])
