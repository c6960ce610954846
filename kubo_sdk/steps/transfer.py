"""Sends a large file to a machine in pieces, and goes on where a lost connection cut it off."""

from __future__ import annotations

from collections.abc import Callable

from kubo_sdk.errors import QuotaExceeded, ShellError
from kubo_sdk.nodes.transfer_script import DAMAGED, NO_ROOM, RECEIVE, RESUME, UNPACK
from kubo_sdk.ports.shell import Shell
from kubo_sdk.releases.packed import Packed

# What one command carries, and all that is held of the file for one machine.
PIECE_BYTES = 8 * 1024 * 1024
RECEIVE_SECONDS = 300.0
UNPACK_SECONDS = 600.0
MEBIBYTE = 1024 * 1024


def send_tree(shell: Shell, pack: Callable[[bool], Packed], place: str, *, room: int, what: str) -> None:
    """Make *place* on the machine the directory that *pack* gives, whole or not at all.

    *pack* is asked once more, with True, when what arrived was not what was sent.  *room*: the bytes its content takes.
    *what* is sent to whom, for messages: ``the release to worker/0``.  May be cut off at any point and called again.
    Raises QuotaExceeded when there is no room, Unavailable, ShellError.
    """
    for anew in (False, True):
        packed = pack(anew)
        part = f"{place}.{packed.sha256[:16]}.part"
        for start, piece in packed.pieces(_present(shell, packed, part, room, what), PIECE_BYTES):
            outcome = shell.run(["sh", "-c", RECEIVE, "sh", part, str(start)], stdin=piece, timeout=RECEIVE_SECONDS)
            outcome.check(f"sending {what}")
        outcome = shell.run(["sh", "-c", UNPACK, "sh", part, packed.sha256, place], timeout=UNPACK_SECONDS)
        if outcome.exit_code != DAMAGED:
            outcome.check(f"unpacking after sending {what}")
            return
    raise ShellError(f"sending {what} failed: what arrives is not what was sent; look at the network and that disk")


def _present(shell: Shell, packed: Packed, part: str, room: int, what: str) -> int:
    """How many bytes of the file the machine has."""
    command = ["sh", "-c", RESUME, "sh", part, str(packed.size), str(room // MEBIBYTE + 1)]
    outcome = shell.run(command)
    if outcome.exit_code == NO_ROOM:
        free, need = outcome.stdout.decode().split()
        raise QuotaExceeded(f"there is no room for {what}: {free} MB are free and {need} needed; give it a larger disk")
    return int(outcome.check(f"preparing to send {what}"))
