"""Sharing: what the machines of one cluster share is made before its first and removed after its last.

A director never says when a deployment is over, so it is looked at after every deletion.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk.private_files import make_private_directory


@contextmanager
def using(directory: Path, cluster: ClusterId, cpi: DiskCpi) -> Iterator[None]:
    """Make sure that what the cluster shares is there, and stays while the block runs."""
    with _held(directory, cluster, fcntl.LOCK_SH):
        cpi.prepare(cluster)
        yield


def dispose_if_empty(directory: Path, cluster: ClusterId, cpi: DiskCpi) -> None:
    """Remove what the cluster shares once its last machine and disk are gone."""
    with _held(directory, cluster, fcntl.LOCK_EX):
        if not cpi.list_vms(cluster) and not (cpi.info().disks and cpi.list_disks(cluster)):
            cpi.dispose(cluster)


@contextmanager
def _held(directory: Path, cluster: ClusterId, kind: int) -> Iterator[None]:
    make_private_directory(directory)
    name = hashlib.sha256(str(cluster).encode()).hexdigest()[:16]
    lock = os.open(directory / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, kind)
        yield
    finally:
        os.close(lock)
