"""A command on an open connection costs one round trip, and so does what the core makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from attrs import evolve

from kubo_sdk.ssh import SshConnections, SshHost

from .machines import Machine, eventually
from .wire import Wire


def a_shell_waits(connections: SshConnections, host: SshHost) -> bool:
    async def looked(pool: object) -> bool:
        link = pool._places[host]._link  # type: ignore[attr-defined]
        return link is not None and link._sessions._ahead is not None

    return connections.loop().call(looked)


@pytest.mark.parametrize("user", ["root", "operator"])
def test_a_command_and_its_input_go_out_before_anything_comes_back(
    machine: Machine, connections: SshConnections, user: str
) -> None:
    with Wire((machine.address, machine.port)) as wire:
        host = machine.host(user, host="127.0.0.1", port=wire.port)
        one_round_trip(connections, host, wire)
        connections.forget(host)


def test_behind_a_jump_host_it_is_one_as_well(
    machine: Machine, new_machine: Callable[..., Machine], connections: SshConnections
) -> None:
    with Wire((machine.address, machine.port)) as wire:
        jump = machine.host("operator", host="127.0.0.1", port=wire.port)
        one_round_trip(connections, evolve(new_machine().host(), jump=jump), wire)
        connections.close()


def one_round_trip(connections: SshConnections, host: SshHost, wire: Wire) -> None:
    shell, sent = connections.shell(host), os.urandom(100_000)
    assert shell.run(["true"]).exit_code == 0
    eventually("the shell that waits ahead", lambda: a_shell_waits(connections, host))
    wire.one_way()
    outcome = shell.run(["sh", "-c", "cat; echo told >&2; exit 3"], stdin=sent, timeout=20)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (3, sent, b"told\n")
    # The connection is good for nothing now: had the command needed a second round trip, it would not have ended.
    eventually("what the next command is prepared with", lambda: wire.kept_back > 0)
