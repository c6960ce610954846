"""Where a disk appears on its machine, by the hint that a BOSH CPI gives.  BOSH leaves the mounting to its agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubo_sdk.disk_mounting import MOUNT_POINT
from kubo_sdk.errors import ConfigError


def device_patterns(hint: Any, fallback: str) -> tuple[str, ...]:
    """Where the disk of *hint* may appear; none where the CPI mounts it itself.

    A hint is a path, or an object with ``path``, ``id``, ``volume_id`` (a SCSI id on the second controller or the
    first) or ``lun``.  *fallback* is the option ``disk_device``, for CPIs that give no hint; ConfigError without it.
    """
    found = _paths(hint) or ((fallback,) if fallback else ())
    if found == (MOUNT_POINT,):
        return ()
    if not found:
        raise ConfigError(
            ["cpi bosh: disk_device: the CPI does not say where a disk appears on its machine; set this option"]
        )
    return found


def _paths(hint: Any) -> tuple[str, ...]:
    if isinstance(hint, str):
        return _spellings(hint) if hint else ()
    given = {name: str(value) for name, value in hint.items() if value} if isinstance(hint, Mapping) else {}
    if "path" in given:
        return _spellings(given["path"])
    if "id" in given:
        return (f"/dev/disk/by-id/*{given['id'][:20]}*",)
    if "lun" in given:
        return (f"/dev/disk/azure/scsi1/lun{given['lun']}", f"/dev/disk/azure/data/by-lun/{given['lun']}")
    return (f"/dev/disk/by-path/*scsi-?:0:{given['volume_id']}:0",) if "volume_id" in given else ()


def _spellings(path: str) -> tuple[str, ...]:
    """A kernel names ``/dev/sdf`` by its driver: also ``/dev/xvdf`` or ``/dev/vdf``."""
    stem = path.removeprefix("/dev/sd")
    return (path, f"/dev/xvd{stem}", f"/dev/vd{stem}") if stem != path and "/" not in stem else (path,)
