"""A command on the caller's own terminal: a real one, and none."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define, field

from .machines import Machine, eventually

CALLER = """
import sys
from kubo_sdk.model.secret import Secret
from kubo_sdk.ssh import SshConnections, SshHost
key, host_key, host, user = sys.argv[1:5]
with open(key, "rb") as file:
    machine = SshHost(host=host, user=user, key=Secret(file.read()), host_keys=(host_key,))
sys.exit(SshConnections().shell(machine).interact(sys.argv[5:]))
"""


@pytest.fixture
def key(machine: Machine, tmp_path: Path) -> str:
    place = tmp_path / "key"
    place.touch(0o600)
    place.write_bytes(machine.keys.user.reveal_bytes())
    return str(place)


def caller(machine: Machine, key: str, user: str, *command: str) -> list[str]:
    return [sys.executable, "-c", CALLER, key, machine.keys.host_line, machine.address, user, *command]


@define
class Terminal:
    """The other end of a terminal on which a program runs."""

    descriptor: int
    process: subprocess.Popen[bytes]
    shown: bytes = field(default=b"", init=False)

    def type(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def await_text(self, text: bytes) -> None:
        def seen() -> bool:
            self._read()
            return text in self.shown

        try:
            eventually(f"{text!r} on the terminal", seen)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.shown!r}") from None

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # Nothing at this moment, or nobody is left at the other end.
            self.shown += os.read(self.descriptor, 65536)


@contextmanager
def on_terminal(command: list[str]) -> Iterator[Terminal]:
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=theirs, stderr=theirs, env=ENVIRONMENT
    )
    try:
        yield Terminal(ours, process)
        assert termios.tcgetattr(theirs) == before
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


ENVIRONMENT = {**os.environ, "TERM": "vt220"}


@pytest.mark.parametrize("user", ["root", "operator"])
def test_a_command_has_the_callers_terminal_with_its_size_and_kind(machine: Machine, key: str, user: str) -> None:
    script = "id -u; tty; stty size; echo $TERM; read answer; echo answer-$answer; exit 5"
    with on_terminal(caller(machine, key, user, "sh", "-c", script)) as terminal:
        for text in (b"0\r\n", b"/dev/pts/", b"33 77", b"vt220"):
            terminal.await_text(text)
        terminal.type(b"yes\r")
        terminal.await_text(b"answer-yes")
        assert terminal.process.wait(30) == 5


def test_a_terminal_that_changes_its_size_does_so_on_the_machine(machine: Machine, key: str) -> None:
    script = "echo ready; until [ \"$(stty size)\" = '40 90' ]; do sleep 0.05; done; echo resized"
    with on_terminal(caller(machine, key, "operator", "sh", "-c", script)) as terminal:
        terminal.await_text(b"ready")
        terminal.resize(40, 90)
        terminal.await_text(b"resized")
        assert terminal.process.wait(30) == 0


def test_an_interrupt_reaches_the_command_and_not_the_caller(machine: Machine, key: str) -> None:
    script = "trap 'echo interrupted; exit 7' INT; echo ready; while :; do sleep 0.05; done"
    with on_terminal(caller(machine, key, "operator", "sh", "-c", script)) as terminal:
        terminal.await_text(b"ready")
        terminal.type(b"\x03")
        terminal.await_text(b"interrupted")
        assert terminal.process.wait(30) == 7


def test_without_a_terminal_bytes_pass_through_unchanged(machine: Machine, key: str) -> None:
    sent = os.urandom(3 << 20)
    command = caller(machine, key, "operator", "sh", "-c", "cat; echo told >&2; exit 9")
    done = subprocess.run(command, input=sent, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (9, sent, b"told\n")


def test_a_connection_that_is_lost_is_unavailable(machine: Machine, key: str) -> None:
    command = caller(machine, key, "root", "sh", "-c", "kill -KILL $PPID")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert "kubo_sdk.errors.Unavailable" in done.stderr.splitlines()[-1]
