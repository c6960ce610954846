"""The way onto a machine through a program of the user's; here the "machine" is this host, entered with ``sh -c``."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import HostError, NotFound, ShellError, Unavailable
from kubo_sdk_boshcpi.shell import CommandShell


def shell(*template: str, exists: bool = True, address: str = "10.0.0.9", **more: Any) -> CommandShell:
    return CommandShell(
        **{
            "template": template or ("sh", "-c"),
            "interactive": (),
            "unreachable": (255,),
            "environment": {"PATH": os.environ["PATH"]},
            "address": address,
            "vm_cid": "i-1",
            "instance": "worker/0",
            "exists": lambda: exists,
            **more,
        }
    )


def test_the_command_arrives_as_it_was_given() -> None:
    strange = ["two words", "$HOME", "a;b", "'\"", "*", ""]
    outcome = shell().run(["printf", "%s\\n", *strange])
    assert outcome.stdout.decode().split("\n")[:-1] == strange


def test_streams_and_exit_code_are_the_commands_own() -> None:
    outcome = shell().run(["sh", "-c", "cat; echo two >&2; exit 7"], stdin=b"\x00one\xff")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (7, b"\x00one\xff", b"two\n")
    with pytest.raises(ShellError, match="the test failed with exit code 7: two"):
        outcome.check("the test")


def test_the_placeholders_are_filled_in() -> None:
    outcome = shell("sh", "-c", 'echo "$0 $1"', "root@{address}", "{vm_cid}").run(["true"])
    assert outcome.stdout == b"root@10.0.0.9 i-1\n"


def test_the_environment_is_what_it_was_given() -> None:
    assert b"PATH=" in shell().run(["env"]).stdout
    assert b"HOME=" not in shell().run(["env"]).stdout


def test_a_machine_that_cannot_be_reached_is_unavailable_and_one_that_is_gone_is_not_found() -> None:
    failing = ("sh", "-c", "echo first >&2; echo 'connection refused' >&2; exit 255")
    with pytest.raises(Unavailable, match="machine worker/0 cannot be entered: connection refused") as caught:
        shell(*failing).run(["true"])
    assert caught.value.retry_after is not None
    with pytest.raises(NotFound, match=r"machine worker/0 \(i-1\) is gone"):
        shell(*failing, exists=False).run(["true"])


def test_a_machine_without_an_address_is_unavailable_only_where_it_is_needed() -> None:
    with pytest.raises(Unavailable, match="the address of worker/0 is not known yet"):
        shell("ssh", "root@{address}", address="").run(["true"])
    assert shell(address="").run(["true"]).exit_code == 0


def test_a_program_that_is_missing_is_told() -> None:
    with pytest.raises(HostError, match=r"the shell command 'no-such-ssh' cannot be started .* correct shell_command"):
        shell("no-such-ssh").run(["true"])


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    with pytest.raises(Unavailable, match=r"'sh' on worker/0 did not end within 0\.5 s"):
        shell().run(["sh", "-c", f"sleep 1000 & echo $! > {child}; wait"], timeout=0.5)
    path = Path("/proc", child.read_text().strip(), "stat")
    wait_until(lambda: not path.exists() or None, what="the death of the child", timeout=10)


def test_interact_uses_the_terminal_of_the_caller() -> None:
    child, terminal = pty.fork()
    if child == 0:
        code = shell(interactive=("sh", "-c")).interact(["sh", "-c", "test -t 0 && echo yes; exit 5"])
        sys.stdout.flush()
        os._exit(code)
    said = b""
    while True:
        try:
            block = os.read(terminal, 1000)
        except OSError:
            break
        if not block:
            break
        said += block
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert (os.waitstatus_to_exitcode(status), said) == (5, b"yes\r\n")
