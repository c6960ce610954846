"""FileLease: one writer per cluster on this host, by an advisory lock that dies with its process."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import LeaseHeld
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.private_files import make_private_directory

# Of so many holders that were killed one after the other the file remembers the names.
REMEMBERED = 16


@contextmanager
def file_lease(
    path: Path, cluster: ClusterId, operation: str, clock: Clock, *, name: str = ""
) -> Iterator[tuple[str, ...]]:
    """Hold the lease of *cluster* while the block runs; LeaseHeld names the process that has it.

    *name* is what this holder calls itself elsewhere.  Gives the names of the last holders: having the lock proves that
    they are gone.
    """
    descriptor = _lock(path, cluster)
    try:
        gone = _names(descriptor)
        since = clock.now().isoformat(timespec="seconds")
        holder = {"pid": os.getpid(), "operation": operation, "since": since, "names": [*gone, name][-REMEMBERED:]}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield gone
    finally:
        os.close(descriptor)


def _names(descriptor: int) -> tuple[str, ...]:
    try:
        return tuple(str(name) for name in json.loads(os.pread(descriptor, 4096, 0))["names"] if name)
    except (ValueError, KeyError, TypeError):
        return ()


def _lock(path: Path, cluster: ClusterId) -> int:
    """Open and lock *path*; start over when another process removed the file in between."""
    while True:
        make_private_directory(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = _held(cluster, descriptor)
            os.close(descriptor)
            raise LeaseHeld(message) from None
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)


def _held(cluster: ClusterId, descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        who = f"process {holder['pid']} ({holder['operation']}, since {holder['since']})"
    except (ValueError, KeyError):
        who = "another process"
    return f"cluster {cluster} is being worked on by {who}; wait for it to end, or stop it"
