"""How the agent tells what it does: one line for the journal, its state for systemd."""

from __future__ import annotations

import os
import socket
import sys


def say(text: str) -> None:
    """One line for the journal."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def notify(*fields: str) -> None:
    """Send ``READY=1``, ``STATUS=…`` and the like; nothing happens where nobody listens."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto("\n".join(fields).encode(), address)
        except OSError:
            return


class Status:
    """Says what changed, and only then; systemd hears it at every beat, as a sign of life."""

    def __init__(self) -> None:
        self._said = ""

    def tell(self, text: str) -> None:
        notify("READY=1", "WATCHDOG=1", f"STATUS={text}")
        if text != self._said:
            self._said = text
            say(text)
