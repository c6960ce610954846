"""How results look: JSON objects, or a table that is plain text unless a terminal is there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO


def print_json(value: Any) -> None:
    """One JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def is_terminal(stream: TextIO) -> bool:
    """Whether *stream* is a terminal that can do more than print lines."""
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, styles: Mapping[int, str]) -> None:
    """Aligned columns.  *styles* colours rows, by their number, on a terminal; NO_COLOR is heeded."""
    if is_terminal(sys.stdout):
        _print_rich_table(headers, rows, styles)
        return
    for line in columns([headers, *rows]):
        print(line)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """*rows* as lines of aligned columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _print_rich_table(headers: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[int, str]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only for terminals
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for number, row in enumerate(rows):
        table.add_row(*(Text(cell) for cell in row), style=styles.get(number))
    Console().print(table)
