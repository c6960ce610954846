"""Progress for programs: every event is one JSON object on one line."""

from __future__ import annotations

import json
import threading
from types import TracebackType
from typing import TextIO

from kubo_sdk.events import Event


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
        line = json.dumps(event.to_dict(), ensure_ascii=False)
        with self._lock:
            print(line, file=self._out, flush=True)

    def note(self, text: str) -> None:
        print(f"kubo: {text}", file=self._aside, flush=True)
