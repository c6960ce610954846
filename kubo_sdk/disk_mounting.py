"""Mounts the disk that a CPI attached, by one script in the machine's shell: for CPIs whose machines have no agent.

It is found by where it may appear, formatted when it is blank, and mounted where the core looks for it.
"""

from __future__ import annotations

from kubo_sdk.ports.shell import Shell

MOUNT_POINT = "/var/lib/kubo/disk"
SECONDS = 150.0

# $1 is the mount point, the rest are patterns of paths, the likeliest first.  A device that is missing is waited for.
# The line in fstab mounts it again when the machine boots by itself; a machine that has lost it still boots.
MOUNT_SCRIPT = r"""
set -e
point=$1; shift
mountpoint -q "$point" && exit 0
device=
for try in $(seq 1 120); do
    for pattern in "$@"; do
        for path in $pattern; do
            if [ -b "$path" ]; then device=$(readlink -f "$path"); break 3; fi
        done
    done
    sleep 0.5
done
[ -n "$device" ] || { echo "no block device is at $*" >&2; exit 1; }
dd if="$device" of=/dev/null bs=1M count=1 2>/dev/null || { echo "$device cannot be read" >&2; exit 1; }
code=0
kind=$(blkid -p -o value -s TYPE "$device" 2>/dev/null) || code=$?
if [ -z "$kind" ]; then
    [ "$code" = 0 ] || [ "$code" = 2 ] || { echo "what is on $device is ambiguous; it is not formatted" >&2; exit 1; }
    [ -z "$(blkid -p -o value -s PTTYPE "$device" 2>/dev/null || :)" ] ||
        { echo "$device has partitions; it is no disk of this cluster" >&2; exit 1; }
    mkfs.ext4 -q "$device"
fi
mkdir -p "$point"
mount "$device" "$point"
uuid=$(blkid -p -o value -s UUID "$device")
sed -i "\\| $point |d" /etc/fstab 2>/dev/null || :
echo "UUID=$uuid $point auto defaults,nofail,x-systemd.device-timeout=60 0 2" >>/etc/fstab
systemctl daemon-reload 2>/dev/null || :
"""

UNMOUNT_SCRIPT = r"""
sed -i "\\| $1 |d" /etc/fstab 2>/dev/null || :
! mountpoint -q "$1" || umount "$1"
systemctl daemon-reload 2>/dev/null || :
"""


def mount(shell: Shell, patterns: tuple[str, ...], instance: str) -> None:
    """Mount the disk that appears at one of *patterns*, paths below /dev with ``*``, the likeliest first.

    Succeeds when it is mounted already; waits a minute for the device.  ShellError tells what the machine says, of a
    disk that somebody else has used as well: what is no blank disk and no file system is never formatted.
    """
    outcome = shell.run(["sh", "-c", MOUNT_SCRIPT, "sh", MOUNT_POINT, *patterns], timeout=SECONDS)
    outcome.check(f"mounting the disk of {instance}")


def unmount(shell: Shell, instance: str) -> None:
    """Unmount the disk, if one is mounted."""
    outcome = shell.run(["sh", "-c", UNMOUNT_SCRIPT, "sh", MOUNT_POINT], timeout=SECONDS)
    outcome.check(f"unmounting the disk of {instance}")
