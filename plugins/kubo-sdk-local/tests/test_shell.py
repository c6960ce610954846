"""The way onto a machine."""

from __future__ import annotations

import os
import pty
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound, Unavailable
from kubo_sdk_local import cgroups, processes
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.shell import LocalShell

from .conftest import DEMO, out, request


@pytest.fixture
def shell(cpi: LocalCpi) -> LocalShell:
    return cpi.open_shell(cpi.create_vm(request()))


def test_bytes_go_in_and_come_out_unchanged(shell: LocalShell) -> None:
    data = os.urandom(3 << 20)
    outcome = shell.run(["cat"], stdin=data)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, data, b"")


def test_the_exit_code_and_both_streams_are_the_commands_own(shell: LocalShell) -> None:
    outcome = shell.run(["sh", "-c", "echo one; echo two >&2; exit 7"])
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (7, b"one\n", b"two\n")


def test_a_command_starts_with_a_clean_environment(shell: LocalShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/me/config")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    lines = shell.run(["env"]).stdout.decode().splitlines()
    assert {line.partition("=")[0] for line in lines} <= {"PATH", "HOME", "LANG", "PWD", "SHLVL", "OLDPWD", "_"}
    assert "HOME=/root" in lines


def test_a_command_runs_in_the_machines_namespaces_and_cgroups(shell: LocalShell) -> None:
    assert shell.run(["readlink", "/proc/self/ns/net"]).stdout == shell.run(["readlink", "/proc/1/ns/net"]).stdout
    entered = shell.run(["cat", "/proc/self/cgroup"]).stdout.decode().splitlines()
    assert {line.rpartition(":")[2] for line in entered} == {"/../shell"}


def test_a_command_that_takes_too_long_is_killed_with_its_children(shell: LocalShell, cpi: LocalCpi) -> None:
    with pytest.raises(Unavailable, match=r"'sh' on worker-0 did not end within 0\.3 s"):
        shell.run(["sh", "-c", "sleep 1234 & sleep 1234"], timeout=0.3)
    path = f"{cpi.layout.cgroup(DEMO, 'worker-0')}/shell"
    wait_until(lambda: not cgroups.processes(cgroups.hierarchies(), path) or None, what="their death", timeout=10)


def test_a_machine_that_is_gone_is_not_found_and_one_that_stopped_is_unavailable(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request())
    shell = cpi.open_shell(vm)
    init = processes.recorded(str(cpi.layout.machine(DEMO, "worker-0") / "init"))
    assert init is not None
    os.kill(processes.pid_of(init), signal.SIGKILL)
    wait_until(lambda: not processes.is_alive(init) or None, what="the death of the machine", timeout=10)
    with pytest.raises(Unavailable, match="worker-0 of cluster tests/demo is not running"):
        shell.run(["true"])
    cpi.delete_vm(vm.id)
    with pytest.raises(NotFound, match="worker-0 of cluster tests/demo is gone"):
        shell.run(["true"])


def test_a_machine_that_dies_under_a_command_is_unavailable(shell: LocalShell, cpi: LocalCpi) -> None:
    init = processes.recorded(str(cpi.layout.machine(DEMO, "worker-0") / "init"))
    assert init is not None
    killer = f"kill -9 {processes.pid_of(init)}"
    with pytest.raises(Unavailable, match="is not running"):
        # The machine cannot kill its own init; a child outside can, once the command runs.
        _run_while(shell, lambda: os.system(killer))


def _run_while(shell: LocalShell, then: Callable[[], object]) -> None:
    timer = threading.Timer(0.2, then)
    timer.start()
    try:
        shell.run(["sleep", "30"])
    finally:
        timer.join()


def test_interact_uses_the_terminal_of_the_caller(shell: LocalShell, tmp_path: Path) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm-test"
        os._exit(shell.interact(["sh", "-c", "test -t 0 && test -t 1 && echo $TERM on $(hostname); exit 5"]))
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
    assert (os.waitstatus_to_exitcode(status), said) == (5, b"xterm-test on worker-0\r\n")


def test_an_empty_machine_answers_on_its_own_loopback_only(cpi: LocalCpi) -> None:
    first, second = cpi.create_vm(request("worker/0")), cpi.create_vm(request("worker/1"))
    assert out(cpi, first, "ip", "-o", "link").count("\n") == 1
    assert out(cpi, second, "cat", "/etc/resolv.conf") == ""
