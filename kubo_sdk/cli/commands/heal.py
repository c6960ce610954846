"""``kubo heal``: repairs once what ``kubo check`` finds, as far as that is safe."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.commands import check


def run(arguments: argparse.Namespace) -> int:
    return check.heal(arguments, {}, auto=True)
