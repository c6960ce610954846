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


@contextmanager
def file_lease(path: Path, cluster: ClusterId, operation: str, clock: Clock) -> Iterator[None]:
    """Hold the lease of *cluster* while the block runs; LeaseHeld names the process that has it."""
    descriptor = _lock(path, cluster)
    try:
        holder = {"pid": os.getpid(), "operation": operation, "since": clock.now().isoformat(timespec="seconds")}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


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
