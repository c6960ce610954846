"""Shows an operation while it runs: live on a terminal, a line per event elsewhere, JSON lines for programs."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Protocol

from kubo_sdk.cli.output import is_terminal
from kubo_sdk.events import Event


class Progress(AbstractContextManager["Progress"], Protocol):
    """Shows events while the context is open.  Both methods may be called from any thread."""

    def observe(self, event: Event) -> None:
        """Show *event*."""
        ...

    def note(self, text: str) -> None:
        """Say something that is no event."""
        ...


def open_progress(*, json: bool) -> Progress:
    """The kind of progress that fits where the output goes."""
    if json:
        from kubo_sdk.cli.progress.jsonlines import JsonLines  # noqa: PLC0415 - one of three

        return JsonLines(sys.stdout, sys.stderr)
    if is_terminal(sys.stderr):
        from kubo_sdk.cli.progress.live import Live  # noqa: PLC0415 - brings rich

        return Live(sys.stderr)
    from kubo_sdk.cli.progress.plain import Plain  # noqa: PLC0415

    return Plain(sys.stderr)
