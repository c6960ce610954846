"""Mounts a disk in a running machine, or unmounts it there."""

from __future__ import annotations

import marshal
import os
import sys

from kubo_sdk_local import syscalls


def main() -> None:
    """Enter the mount namespace given as an open file and attach ``source`` at ``target``, or detach ``target``."""
    request = marshal.loads(sys.stdin.buffer.read())  # noqa: S302
    try:
        source = syscalls.open_tree(request["source"]) if request["source"] else None
        syscalls.setns(request["namespace"], syscalls.CLONE_NEWNS)
        if source is None:
            _detach(request["target"])
            return
        os.makedirs(request["target"], exist_ok=True)
        if not os.path.ismount(request["target"]):
            syscalls.move_mount(source, request["target"])
    except OSError as error:
        sys.exit(syscalls.described(error))


def _detach(target: str) -> None:
    while os.path.ismount(target):
        syscalls.unmount(target)
