"""Mounting: a disk the CPI attached is found by its hint, formatted when it is blank, and mounted.

BOSH leaves this to its agent.  Machines of kubo_sdk need none, so it is one script, run through the machine's shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubo_sdk.errors import ConfigError
from kubo_sdk.ports.shell import Shell

MOUNT_POINT = "/var/lib/kubo/disk"
SECONDS = 120.0

# $1 is the mount point, the rest are patterns of paths, the likeliest first.  A device that is missing is waited for.
MOUNT_SCRIPT = r"""
set -e
point=$1; shift
mountpoint -q "$point" && exit 0
device=
for try in $(seq 1 60); do
    for pattern in "$@"; do
        for path in $pattern; do
            if [ -b "$path" ]; then device=$(readlink -f "$path"); break 3; fi
        done
    done
    sleep 0.5
done
[ -n "$device" ] || { echo "no block device is at $*" >&2; exit 1; }
if [ -z "$(blkid -p -o value -s TYPE "$device" 2>/dev/null || :)" ]; then
    [ -z "$(blkid -p -o value -s PTTYPE "$device" 2>/dev/null || :)" ] ||
        { echo "$device has partitions; it is no disk of this cluster" >&2; exit 1; }
    mkfs.ext4 -q "$device"
fi
mkdir -p "$point"
mount "$device" "$point"
uuid=$(blkid -p -o value -s UUID "$device")
sed -i "\\| $point |d" /etc/fstab 2>/dev/null || :
echo "UUID=$uuid $point auto defaults,nofail 0 2" >>/etc/fstab
"""

UNMOUNT_SCRIPT = r"""
sed -i "\\| $1 |d" /etc/fstab 2>/dev/null || :
! mountpoint -q "$1" || umount "$1"
"""


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


def mount(shell: Shell, patterns: tuple[str, ...], instance: str) -> None:
    """Mount the disk; ShellError tells what the machine says."""
    outcome = shell.run(["sh", "-c", MOUNT_SCRIPT, "sh", MOUNT_POINT, *patterns], timeout=SECONDS)
    outcome.check(f"mounting the disk of {instance}")


def unmount(shell: Shell, instance: str) -> None:
    """Unmount the disk, if one is mounted."""
    outcome = shell.run(["sh", "-c", UNMOUNT_SCRIPT, "sh", MOUNT_POINT], timeout=SECONDS)
    outcome.check(f"unmounting the disk of {instance}")
