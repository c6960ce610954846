"""``kubo version``."""

from __future__ import annotations

import argparse
import platform

import kubo_sdk
from kubo_sdk.cli.output import print_json


def run(arguments: argparse.Namespace) -> int:
    found = {"kubo": kubo_sdk.__version__, "python": platform.python_version(), "machine": platform.machine()}
    if arguments.json:
        print_json(found)
    else:
        print(f"kubo {found['kubo']}, Python {found['python']}, {found['machine']}")
    return 0
