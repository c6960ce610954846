"""Volumes: sparse files behind loop devices, which appear on the machine as they do on Amazon's own machines."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from kubo_sdk.errors import KuboError

from .machines import Machines

# Arguments: the device's minor number, its name in /dev/disk/by-id.
_APPEAR = """
set -e
mkdir -p /dev/disk/by-id
n=1
while [ -e "/dev/nvme${n}n1" ]; do n=$((n + 1)); done
mknod -m 660 "/dev/nvme${n}n1" b 7 "$1"
ln -sf "../../nvme${n}n1" "/dev/disk/by-id/$2"
"""
_VANISH = 'path=$(readlink -f "/dev/disk/by-id/$1"); rm -f "$path" "/dev/disk/by-id/$1"'
_DEVICE = "/dev/loop"


class Volumes:
    """The content of each volume is a file below *home*."""

    def __init__(self, home: Path, machines: Machines) -> None:
        self._home, self._machines = home, machines
        # Where each volume appears: the instance, and in which of its boots.
        self._shown: dict[str, tuple[str, int]] = {}
        home.mkdir(parents=True, exist_ok=True)

    def follow(self, sizes: Mapping[str, int], attached: Mapping[str, str]) -> None:
        """*sizes* (GiB) of all volumes there are; *attached*: which of them to which instance."""
        for volume, (instance, boot) in list(self._shown.items()):
            if attached.get(volume) != instance:
                self._vanish(volume, instance)
            elif not self._machines.is_running(instance) or self._machines.boots[instance] != boot:
                del self._shown[volume]
        for volume, instance in attached.items():
            if volume not in self._shown and self._machines.is_running(instance):
                self._appear(volume, instance, sizes[volume])
        for path in self._home.iterdir():
            if path.name not in sizes:
                _release(path)
                path.unlink()

    def _appear(self, volume: str, instance: str, size: int) -> None:
        path = self._home / volume
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(size << 30)
        device = _loop(path) or _run("losetup", "--find", "--show", str(path))
        self._on(instance, _APPEAR, device.removeprefix(_DEVICE), _name(volume))
        self._shown[volume] = (instance, self._machines.boots[instance])

    def _vanish(self, volume: str, instance: str) -> None:
        if self._machines.is_running(instance):
            self._on(instance, _VANISH, _name(volume))
        _release(self._home / volume)
        del self._shown[volume]

    def _on(self, instance: str, script: str, *arguments: str) -> None:
        done = self._machines.shell(instance).run(["sh", "-c", script, "sh", *arguments])
        if done.exit_code:
            raise KuboError(f"a volume of {instance}: {done.stderr.decode()}")


def _name(volume: str) -> str:
    return f"nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"


def _loop(path: Path) -> str:
    return _run("losetup", "--noheadings", "--output", "NAME", "--associated", str(path)).strip()


def _release(path: Path) -> None:
    for device in _loop(path).split():
        _run("losetup", "--detach", device)


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def clear(home: Path) -> None:
    """Release every device below *home*."""
    for path in home.glob("vol-*"):
        _release(path)
