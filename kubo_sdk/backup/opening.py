"""Opens the place and the key that a spec names."""

from __future__ import annotations

import os
from pathlib import Path

from kubo_sdk.backup.directory import DirectoryPlace
from kubo_sdk.backup.places import Place
from kubo_sdk.backup.s3 import s3_place
from kubo_sdk.config.backup import S3
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ClusterSpec


def open_place(spec: ClusterSpec, base_dir: Path, clock: Clock) -> Place:
    """Where the backups of this very cluster lie, below what ``backup.to`` says.  Touches nothing yet."""
    backup, own = spec.backup, f"{spec.director}/{spec.name}"
    if not backup.to:
        raise ConfigError([f"the spec of cluster {spec.id} says nothing of backups; set backup.to and backup.key_file"])
    if backup.to.startswith(S3):
        return s3_place(backup, own, clock, base_dir, os.environ)
    return DirectoryPlace(path=base_dir / backup.to / own)
