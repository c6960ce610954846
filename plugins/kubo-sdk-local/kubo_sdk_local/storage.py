"""Small files that change in one step, locks between processes, and trees that go away."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import HostError

_LOCK_SECONDS = 120.0
_LOCK_POLL_SECONDS = 0.005


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace *path* in one step: a reader sees the old content or the new."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(content, indent=1))
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of *path*, or None when it is not there."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise HostError(f"{path} may not be read; machines on this host need root, run it with sudo") from error
    except ValueError as error:
        raise HostError(f"{path} is damaged ({error}); restore it or remove the directory it lies in") from error
    return content


@contextmanager
def locked(path: Path, what: str, *, timeout: float = _LOCK_SECONDS) -> Iterator[int]:
    """Hold the lock file *path*, against other threads and processes; yields its file descriptor.

    A child that inherits the descriptor holds the lock on.  The holder may remove the file.  Unavailable when another
    holds it for *timeout* seconds.
    """
    lock = wait_until(
        lambda: _try_lock(path),
        what=f"the end of another change to {what}",
        timeout=timeout,
        interval=_LOCK_POLL_SECONDS,
    )
    try:
        yield lock
    finally:
        os.close(lock)


def _try_lock(path: Path) -> int | None:
    """The lock file, open and locked; None while another has it, or removed it before it was locked."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def remove_tree(path: Path) -> None:
    """Remove a directory and what is in it, but nothing mounted below; one that is absent is fine."""
    # rm does in C what would cost the SDK seconds of CPU for a worker full of container images.
    done = subprocess.run(
        ["rm", "-rf", "--one-file-system", "--", str(path)], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise HostError(f"cannot remove {path}: {done.stderr.decode(errors='replace').strip().splitlines()[-1]}")


def remove_empty(path: Path) -> None:
    """Remove a directory if nothing is in it."""
    try:
        path.rmdir()
    except OSError:
        return
