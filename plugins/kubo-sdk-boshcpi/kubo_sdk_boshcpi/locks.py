"""Locks between threads and processes, and small files that change in one step."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import HostError
from kubo_sdk.private_files import make_private_directory

POLL_SECONDS = 0.01


@contextmanager
def locked(path: Path, what: str, *, timeout: float) -> Iterator[None]:
    """Hold the lock file *path*, which stays.  Unavailable when another holds it for *timeout* seconds."""
    make_private_directory(path.parent)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        wait_until(
            lambda: _try_lock(lock),
            what=f"the end of another change to {what}",
            timeout=timeout,
            interval=POLL_SECONDS,
        )
        yield
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool | None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return True


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace *path* in one step and for good: a reader sees the old content or the new, after a power cut as well."""
    make_private_directory(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of *path*, or None when it is not there.  HostError when it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise HostError(f"{path} cannot be read ({error}); restore it, or write it anew as the README tells") from error
    if not isinstance(content, dict):
        raise HostError(f"{path} holds no JSON object; restore it, or write it anew as the README tells")
    return content
