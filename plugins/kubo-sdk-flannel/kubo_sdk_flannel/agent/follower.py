"""The thread that talks to the store: it follows the leases, keeps the own one alive and never touches the kernel."""

from __future__ import annotations

import contextlib
import os
import threading
import time

from kubo_sdk_flannel.agent.store import Store, View
from kubo_sdk_flannel.agent.trouble import StoreTrouble

QUICK_SECONDS = 0.2
SLOW_SECONDS = 2.0
LONG_SECONDS = 10.0  # what held this long was a connection that worked


class Backoff:
    """Pauses between tries: short ones for *eager* seconds, then growing to two seconds."""

    def __init__(self, eager: float = 0.0) -> None:
        self._pause = QUICK_SECONDS
        self._calm_at = time.monotonic() + eager

    def wait(self) -> None:
        time.sleep(self._pause)
        if time.monotonic() >= self._calm_at:
            self._pause = min(self._pause * 1.3, SLOW_SECONDS)

    def reset(self) -> None:
        self._pause = QUICK_SECONDS


class Follower:
    """Holds the newest view and wakes the main thread through a pipe when it changed."""

    def __init__(self, store: Store, view: View) -> None:
        self._store = store
        self._view = view
        self._error = ""
        self._over: Exception | None = None
        self._lock = threading.Lock()
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def start(self) -> None:
        threading.Thread(target=self._run, name="store", daemon=True).start()

    def fileno(self) -> int:
        return self._read

    def newest(self) -> tuple[View, str]:
        """The view, and the error that keeps the store from answering now.  Raises what ended the thread."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)
        with self._lock:
            if self._over:
                raise self._over
            return self._view, self._error

    def _run(self) -> None:
        backoff = Backoff()
        while not self._over:
            began = time.monotonic()
            try:
                self._store.follow(self._publish)
            except StoreTrouble as error:
                self._tell(error=str(error))
                if time.monotonic() - began > LONG_SECONDS:
                    backoff.reset()
                backoff.wait()
            except Exception as error:  # a thread that dies silently would leave the node on old leases for ever
                self._tell(over=error)

    def _publish(self, view: View) -> None:
        self._tell(view=view)

    def _tell(self, view: View | None = None, error: str = "", over: Exception | None = None) -> None:
        with self._lock:
            before = (self._view, self._error, self._over)
            self._view = view or self._view
            self._error, self._over = error, over or self._over
            changed = before != (self._view, self._error, self._over)
        if changed:
            with contextlib.suppress(BlockingIOError):
                os.write(self._write, b"\0")
