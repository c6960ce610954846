"""Reads a list of the API one object after another: of ten thousand only one is held as a whole at any time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_ITEMS = '"items":['


class ListReader:
    """Of the JSON text of a list.  ``version`` and ``more`` (how to ask for the rest) are known at once."""

    def __init__(self, text: str) -> None:
        self._text = text
        start = text.find(_ITEMS)
        if start < 0:  # written in another way than API servers do, or there are none
            whole = json.loads(text)
            self._whole: list[dict[str, Any]] | None = whole.get("items") or []
            metadata = whole["metadata"]
        else:
            self._whole = None
            self._start = start + len(_ITEMS)
            metadata = _metadata(text, start)
        self.version = str(metadata.get("resourceVersion") or "")
        self.more = str(metadata.get("continue") or "")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._whole is not None:
            yield from self._whole
            return
        decoder, text, position = json.JSONDecoder(), self._text, self._start
        while (position := _past(text, position)) < len(text) and text[position] != "]":
            item, position = decoder.raw_decode(text, position)
            yield item


def _past(text: str, position: int) -> int:
    """The next character that is neither blank nor a comma."""
    while position < len(text) and text[position] in ", \t\r\n":
        position += 1
    return position


def _metadata(text: str, end: int) -> dict[str, Any]:
    """API servers write the metadata of a list before its items."""
    head = text[:end].rstrip().rstrip(",")
    found: dict[str, Any] = json.loads(head + "}")["metadata"]
    return found
