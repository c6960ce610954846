"""Backups: what a cluster cannot be made anew from, taken, kept for a while, and brought back."""

from __future__ import annotations

from kubo_sdk.backup.backups import Backup, Backups
from kubo_sdk.backup.keys import backup_key
from kubo_sdk.backup.opening import open_place
from kubo_sdk.backup.restoring import Restorer
from kubo_sdk.backup.schedule import BackupSchedule, scheduled

__all__ = ["Backup", "BackupSchedule", "Backups", "Restorer", "backup_key", "open_place", "scheduled"]
