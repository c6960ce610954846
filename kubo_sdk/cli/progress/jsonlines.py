"""Progress for programs: every event is one JSON object on one line."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from types import TracebackType
from typing import Any, TextIO

import attrs

from kubo_sdk.events import Event
from kubo_sdk.model.instance import ClusterId


class JsonLines:
    """Writes events to *out*; notes go to *aside*."""

    def __init__(self, out: TextIO, aside: TextIO) -> None:
        self._out = out
        self._aside = aside
        self._lock = threading.Lock()

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was held."""

    def observe(self, event: Event) -> None:
        line = json.dumps(as_dict(event), ensure_ascii=False)
        with self._lock:
            print(line, file=self._out, flush=True)

    def note(self, text: str) -> None:
        print(f"kubo: {text}", file=self._aside, flush=True)


def as_dict(event: Event) -> dict[str, Any]:
    """``{"event": "StepStarted", "cluster": "kubo/demo", "at": …}`` and the event's own fields."""
    fields = {field.name: _plain(getattr(event, field.name)) for field in attrs.fields(type(event))}
    return {"event": type(event).__name__, **fields}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, ClusterId) else value
