"""Caller: ``kubo-cpi`` dies with the process that called it through the extension.

The CPIs of kubo_sdk are made to be killed at any moment and to be asked again; one that goes on unseen after its caller
has died would make what nobody lists.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from pathlib import Path
from typing import Any


def this_process() -> list[str | int]:
    """This process: its id, and where that id means something."""
    return [os.getpid(), _scope()]


def _scope() -> str:
    """This boot of this host, and the namespace of its process ids."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def end_with(caller: Any) -> None:
    """Die as soon as *caller* does, or now if it is dead already; a caller on another host is not watched."""
    if not isinstance(caller, list) or len(caller) != 2 or type(caller[0]) is not int or caller[1] != _scope():
        return
    try:
        watched = os.pidfd_open(caller[0])
    except OSError:
        _die()
        return
    threading.Thread(target=_watch, args=(watched,), name="kubo-cpi-caller", daemon=True).start()


def _watch(watched: int) -> None:
    select.select([watched], [], [])
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
