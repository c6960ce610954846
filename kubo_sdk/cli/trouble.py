"""Tells an expected error: one sentence a line on standard error, and an object on standard output with --json."""

from __future__ import annotations

import sys
import traceback

from kubo_sdk.cli.output import print_json
from kubo_sdk.errors import ConfigError, DeployFailed, KuboError


def report(error: KuboError, *, json: bool) -> int:
    """Print *error* and return its exit code.  A bug inside a failed step keeps its traceback."""
    told = sentences(error)
    for sentence in told:
        print(f"kubo: {sentence}", file=sys.stderr)
    if isinstance(error, DeployFailed):
        for _, failure in error.failures:
            if not isinstance(failure, KuboError):
                traceback.print_exception(failure, file=sys.stderr)
    if json:
        kind = type(error).__name__
        print_json({"result": "error", "error": kind, "exit_code": error.exit_code, "messages": told})
    return error.exit_code


def sentences(error: KuboError) -> list[str]:
    """Every sentence of *error*, without line breaks."""
    if isinstance(error, ConfigError):
        texts = list(error.problems)
    elif isinstance(error, DeployFailed):
        texts = [f"{title}: {_words(failure)}" for title, failure in error.failures]
    else:
        texts = [_words(error)]
    return [" ".join(text.split()) for text in texts]


def _words(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, KuboError):
        return str(error) or kind
    return f"{kind}: {error}"
