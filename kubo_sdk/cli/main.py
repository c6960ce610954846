"""The entry point of ``kubo``: reads the command line, runs one command, turns errors into sentences and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from kubo_sdk.cli.parser import PASSING_ON, build_parser
from kubo_sdk.errors import KuboError

INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.  An unexpected error keeps its traceback: it is a bug."""
    own, passed_on = split(sys.argv[1:] if argv is None else list(argv))
    arguments = build_parser().parse_args(own)
    arguments.passed_on = passed_on
    command = importlib.import_module(f"kubo_sdk.cli.commands.{arguments.command}")
    try:
        code: int = command.run(arguments)
        sys.stdout.flush()
    except KuboError as error:
        from kubo_sdk.cli.trouble import report  # noqa: PLC0415 - only when something went wrong

        return report(error, json=arguments.json)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone.  Python flushes once more at its end and must not fail then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those behind ``--`` that belong to the program a command runs."""
    if "--" not in argv:
        return list(argv), []
    at = argv.index("--")
    if not any(command in argv[:at] for command in PASSING_ON):
        return list(argv), []
    return list(argv[:at]), list(argv[at + 1 :])
