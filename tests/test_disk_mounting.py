"""The script that mounts disks, on a real block device in a mount namespace of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubo_sdk.disk_mounting import MOUNT_SCRIPT, UNMOUNT_SCRIPT


@pytest.fixture
def device(tmp_path: Path) -> Iterator[str]:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    made = subprocess.run(["losetup", "-f", "--show", str(image)], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"this host gives no loop device: {made.stderr.strip()}")
    device = made.stdout.strip()
    yield device
    subprocess.run(["losetup", "-d", device], check=True)


def run(tmp_path: Path, line: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run *line* where mounts and /etc are the test's own."""
    for name in ("upper", "work"):
        (tmp_path / name).mkdir(exist_ok=True)
    layers = f"lowerdir=/etc,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    script = f"mount -t overlay overlay -o {layers} /etc && : >/etc/fstab && {line}"
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def mounting(tmp_path: Path, device: str, then: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "mount.sh"
    script.write_text(MOUNT_SCRIPT)
    point = str(tmp_path / "point")
    return run(tmp_path, f'sh {script} "$@" && {then}', point, "/dev/no-such-device", device)


def test_a_blank_disk_is_formatted_and_mounted_and_keeps_its_content(tmp_path: Path, device: str) -> None:
    first = mounting(tmp_path, device, 'echo kept >"$1/file"; umount "$1"')
    assert (first.returncode, first.stderr) == (0, "")
    second = mounting(tmp_path, device, 'cat "$1/file"; cat /etc/fstab; umount "$1"')
    content, entry = second.stdout.splitlines()
    assert content == "kept"
    assert entry.startswith("UUID=")
    assert f" {tmp_path}/point auto defaults,nofail,x-systemd.device-timeout=60 0 2" in entry


def test_mounting_and_unmounting_twice_is_no_trouble(tmp_path: Path, device: str) -> None:
    script = tmp_path / "unmount.sh"
    script.write_text(UNMOUNT_SCRIPT)
    again = f'sh {tmp_path}/mount.sh "$@" && sh {script} "$1" && sh {script} "$1" && cat /etc/fstab'
    done = mounting(tmp_path, device, again)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_disk_with_partitions_is_not_touched(tmp_path: Path, device: str) -> None:
    entry = bytes([0, 0, 2, 0, 0x83, 0, 0, 0]) + (2048).to_bytes(4, "little") + (20480).to_bytes(4, "little")
    Path(device).write_bytes(bytes(446) + entry + bytes(48) + b"\x55\xaa")
    done = mounting(tmp_path, device, "true")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("has partitions; it is no disk of this cluster")
