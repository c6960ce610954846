"""Progress on a terminal: a table that shows what each machine is doing now, and since when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from rich import live
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from kubo_sdk.cli.progress.board import Board, Line, Mark
from kubo_sdk.events import Event

REFRESHES_PER_SECOND = 5
LINES_AROUND = 4  # the header, the note, and room for the prompt

_STYLES = {Mark.RUNNING: "", Mark.RETRYING: "yellow", Mark.FAILED: "red", Mark.DONE: "green", Mark.WAITING: "dim"}
_SIGNS = {Mark.RUNNING: "▸", Mark.RETRYING: "↻", Mark.FAILED: "✗", Mark.DONE: "✓", Mark.WAITING: "·"}
_PLAIN_SIGNS = {Mark.RUNNING: ">", Mark.RETRYING: "~", Mark.FAILED: "x", Mark.DONE: "+", Mark.WAITING: "."}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Live:
    """Keeps a table up to date on *out*, a few times a second while the context is open."""

    def __init__(self, out: TextIO, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._console = Console(file=out)
        self._now = now
        self._board = Board()
        self._note = ""
        self._lock = threading.RLock()
        self._live = live.Live(
            console=self._console,
            get_renderable=self.render,
            refresh_per_second=REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def observe(self, event: Event) -> None:
        with self._lock:
            self._board.see(event)

    def note(self, text: str) -> None:
        with self._lock:
            self._note = text

    def render(self) -> RenderableType:
        """The whole picture of this moment."""
        with self._lock:
            now = self._board.finished.at if self._board.finished else self._now()
            parts: list[RenderableType] = [self._header(now), self._table(now)] if self._board.begun else []
            if self._note:
                parts.append(Text(self._note, style="yellow"))
            return Group(*parts)

    def _header(self, now: datetime) -> Text:
        seconds = (now - self._board.begun).total_seconds() if self._board.begun else 0.0
        count = f"{self._board.ended}/{self._board.planned} steps"
        return Text(
            f"{self._board.operation}  {count}  {seconds:.1f} s", style="bold", no_wrap=True, overflow="ellipsis"
        )

    def _table(self, now: datetime) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column(no_wrap=True, justify="right")
        table.expand = True
        lines = self._board.lines()
        shown = fitting(lines, self._console.height - LINES_AROUND)
        signs = _SIGNS if self._console.encoding.lower().startswith("utf") else _PLAIN_SIGNS
        for line in shown:
            since = f"{(now - line.since).total_seconds():.1f} s" if line.since else ""
            style = _STYLES[line.mark]
            cells = (Text(text, style=style) for text in (signs[line.mark], line.subject, line.text, since))
            table.add_row(*cells)
        if len(shown) < len(lines):
            table.add_row("", Text(f"and {len(lines) - len(shown)} more", style="dim"))
        return table


def fitting(lines: tuple[Line, ...], room: int) -> tuple[Line, ...]:
    """As many of *lines* as fit into *room*, in their order; those that fail or run before those that wait."""
    room = max(room, 1)
    if len(lines) <= room:
        return lines
    urgency = (Mark.FAILED, Mark.RETRYING, Mark.RUNNING, Mark.WAITING, Mark.DONE)
    order = sorted(range(len(lines)), key=lambda number: (urgency.index(lines[number].mark), number))
    return tuple(lines[number] for number in sorted(order[: room - 1]))
