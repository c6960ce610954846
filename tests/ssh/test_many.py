"""Many machines, many callers, few threads: how many connections, sessions and threads there are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubo_sdk.errors import Unavailable
from kubo_sdk.ssh import SshConnections
from kubo_sdk.testing.contracts.contract import at_once

from .machines import Machine, eventually

HOSTS = 200


def logins(machine: Machine) -> int:
    return (machine.home / "log").read_text().count("Accepted publickey")


def own_threads() -> list[str]:
    """Ours, and those that asyncio resolves names with."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("kubo-ssh", "asyncio"))]


def test_two_hundred_machines_are_one_thread_and_two_hundred_connections(
    new_machine: Callable[..., Machine], connections: SshConnections
) -> None:
    machine = new_machine(address="0.0.0.0", port=2222)
    shells = [connections.shell(machine.host(host=f"127.0.5.{n}")) for n in range(1, HOSTS + 1)]
    for turn in (b"first", b"second"):
        with ThreadPoolExecutor(HOSTS) as pool:
            told = list(pool.map(lambda shell, sent: shell.run(["cat"], stdin=sent).stdout, shells, [turn] * HOSTS))
        assert told == [turn] * HOSTS
    assert logins(machine) == HOSTS
    assert len([name for name in own_threads() if name.startswith("kubo-ssh")]) == 1
    assert len(own_threads()) < 40


def test_no_more_connections_than_allowed_are_open_and_idle_ones_give_way(new_machine: Callable[..., Machine]) -> None:
    machine = new_machine(address="0.0.0.0", port=2222)
    connections = SshConnections(max_open=3)
    shells = [connections.shell(machine.host(host=f"127.0.5.{n}")) for n in range(1, 10)]
    wait = ["sh", "-c", "echo >~/$$; until [ -e ~/go ]; do sleep 0.05; done; echo gone"]
    disk = machine.home / "root"
    with ThreadPoolExecutor(len(shells)) as pool:
        running = [pool.submit(shell.run, wait) for shell in shells]
        eventually("three commands", lambda: len(list(disk.iterdir())) == 3)
        assert logins(machine) == 3
        (disk / "go").touch()
        assert [future.result().stdout for future in running] == [b"gone\n"] * len(shells)
    assert logins(machine) == len(shells)
    assert shells[0].run(["echo", "again"]).stdout == b"again\n"
    connections.close()


def test_concurrent_commands_share_one_connection(
    new_machine: Callable[..., Machine], connections: SshConnections
) -> None:
    machine = new_machine()
    shell = connections.shell(machine.host("operator"))
    told = at_once(lambda n: shell.run(["sh", "-c", "cat; sleep 0.1"], stdin=str(n).encode()).stdout, range(40))
    assert told == [str(n).encode() for n in range(40)]
    assert logins(machine) == 1


@pytest.mark.parametrize("limit", [1, 2])
def test_a_machine_that_allows_fewer_sessions_serves_all_commands_after_each_other(
    new_machine: Callable[..., Machine], connections: SshConnections, limit: int
) -> None:
    machine = new_machine(options=f"MaxSessions {limit}\n")
    shell = connections.shell(machine.host())
    for _ in range(2):
        told = at_once(lambda n: shell.run(["cat"], stdin=str(n).encode()).stdout, range(12))
        assert told == [str(n).encode() for n in range(12)]
    assert logins(machine) == 1


def test_megabytes_go_both_ways_unchanged(machine: Machine, connections: SshConnections) -> None:
    sent = os.urandom(48 << 20)
    assert connections.shell(machine.host("operator")).run(["cat"], stdin=sent).stdout == sent


def test_any_bytes_are_arguments(machine: Machine, connections: SshConnections) -> None:
    every = bytes(range(1, 256)).decode(errors="surrogateescape")
    for argument in (every, "ä\n\n'ö'", "\n", "-n", "\\n\\", "!!", "%s", " "):
        outcome = connections.shell(machine.host("operator")).run(["printf", "%s.", argument])
        assert outcome.stdout == argument.encode(errors="surrogateescape") + b"."


def test_a_command_is_a_program_whatever_the_shell_calls_by_that_name(
    machine: Machine, connections: SshConnections
) -> None:
    shell = connections.shell(machine.host())
    assert b"kill from" in shell.run(["kill", "--version"]).stdout
    assert shell.run(["nothing-is-called-so"]).exit_code == 127
    assert shell.run(["sh", "-c", "kill -TERM $$"]).exit_code == 128 + 15
    assert shell.run(["env"]).stdout.decode().splitlines() == [
        "HOME=/root",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        "PWD=/",
    ]


def test_what_a_login_prints_is_not_the_commands_output(new_machine: Callable[..., Machine]) -> None:
    connections = SshConnections()
    noise = b"echo welcome; echo careful >&2\n"
    machine = new_machine(files={"root/.bashrc": noise, "home/operator/.bashrc": noise})
    (machine.home / "home/operator/.bashrc").chmod(0o644)
    for user in ("root", "operator"):
        outcome = connections.shell(machine.host(user)).run(["sh", "-c", "echo out; echo err >&2"])
        assert (outcome.stdout, outcome.stderr) == (b"out\n", b"err\n")
    connections.close()


def test_a_forked_child_opens_connections_of_its_own(
    new_machine: Callable[..., Machine], connections: SshConnections
) -> None:
    machine = new_machine()
    shell = connections.shell(machine.host())
    assert shell.run(["true"]).exit_code == 0
    child = os.fork()
    if not child:
        code = 1
        try:
            code = shell.run(["sh", "-c", "exit 42"], timeout=20).exit_code
            connections.close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert shell.run(["echo", "still here"]).stdout == b"still here\n"
    assert logins(machine) == 2


def test_closing_ends_the_connections_and_the_threads_and_using_them_again_begins_anew(
    new_machine: Callable[..., Machine],
) -> None:
    machine, connections = new_machine(), SshConnections()
    before = own_threads()
    shell = connections.shell(machine.host())
    for _ in range(2):
        assert shell.run(["true"]).exit_code == 0
        connections.close()
        assert own_threads() == before
        eventually("the end of the connection", lambda: not machine.connections())


def test_nobody_waits_for_ever_when_another_thread_closes_the_connections(
    machine: Machine, connections: SshConnections
) -> None:
    shell = connections.shell(machine.host())

    def run(_: int) -> str:
        try:
            return str(shell.run(["true"], timeout=60).exit_code)
        except Unavailable as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(run, n) for n in range(40)]
        for future in running[::4]:
            future.result(timeout=120)
            connections.close()
        told = {future.result(timeout=120) for future in running}
    assert all(each == "0" or "try again" in each for each in told)
    assert run(0) == "0"


def test_a_forgotten_machine_has_no_connection(
    new_machine: Callable[..., Machine], connections: SshConnections
) -> None:
    machine = new_machine()
    connections.shell(machine.host()).run(["true"])
    assert machine.connections()
    connections.forget(machine.host())
    eventually("the end of the connection", lambda: not machine.connections())


def test_connections_that_nobody_holds_any_more_are_closed(new_machine: Callable[..., Machine]) -> None:
    machine = new_machine()
    SshConnections().shell(machine.host()).run(["true"])
    eventually("the end of the connection", lambda: not machine.connections())
