"""``kubo plugin``: for authors of plugins.  Each action is a file of its own beside this one."""

from __future__ import annotations

import argparse
import importlib


def run(arguments: argparse.Namespace) -> int:
    action = importlib.import_module(f"kubo_sdk.cli.commands.plugin_{arguments.action}")
    code: int = action.run(arguments)
    return code
