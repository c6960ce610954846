"""A change that the core makes over SSH and that is cut off: it is Unavailable, and made again it converges."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubo_sdk.errors import Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.nodes.manifest import NodeManifest, manifest
from kubo_sdk.nodes.push import PushResult, push, read_manifest
from kubo_sdk.nodes.script import PUSH
from kubo_sdk.ports.node import NodeFile
from kubo_sdk.ports.shell import Shell
from kubo_sdk.ssh import SshConnections
from kubo_sdk.testing.contracts.contract import assert_is_one_sentence, error_of

from .machines import Machine, eventually
from .test_round_trips import a_shell_waits
from .wire import Wire

LARGE = os.urandom(8 << 20)
SMALL = b"small"


def wanted(content: bytes) -> NodeManifest:
    secret = NodeFile(path="/run/app/secret", content=Secret("hunter2"), mode=0o600)
    return manifest((NodeFile(path="/run/app/file", content=content), secret), ())


def change(shell: Shell, content: bytes) -> PushResult:
    return push(shell, wanted(content), read_manifest(shell), frozenset())


def lose(shell: Shell, content: bytes, wire: Wire, has_come_to_it: Callable[[], bool]) -> None:
    """Make the change, and cut the wire in the middle of it."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: error_of(lambda: push(shell, wanted(content), None, frozenset()), Unavailable))
        eventually("the middle of the change", has_come_to_it)
        wire.cut()
        error = running.result()
    assert_is_one_sentence(error)
    assert error.retry_after is not None


def carries(machine: Machine, content: bytes) -> bool:
    file, manifest = (machine.root() / path for path in ("run/app/file", "var/lib/kubo/manifest"))
    return manifest.exists() and file.read_bytes() == content


@pytest.mark.parametrize("user", ["root", "operator"])
def test_a_change_cut_off_half_sent_is_made_by_the_next_attempt(
    new_machine: Callable[..., Machine], connections: SshConnections, user: str
) -> None:
    machine = new_machine()
    with Wire((machine.address, machine.port)) as wire:
        shell = connections.shell(machine.host(user, host="127.0.0.1", port=wire.port))
        assert read_manifest(shell) is None
        wire.let_through(len(LARGE) // 2)
        lose(shell, LARGE, wire, lambda: wire.kept_back > 0)
        machine.await_end_of("sh", "-c", PUSH)
        assert not (machine.root() / "run/app").exists()
        assert len(change(shell, LARGE).written) == 2
        assert carries(machine, LARGE)
        assert not (machine.root() / "var/lib/kubo/stage").exists()
        assert change(shell, LARGE) == PushResult()
        connections.close()


def test_a_change_whose_answer_is_lost_leaves_nothing_to_do_for_the_next_attempt(
    new_machine: Callable[..., Machine], connections: SshConnections
) -> None:
    machine = new_machine()
    with Wire((machine.address, machine.port)) as wire:
        host = machine.host(host="127.0.0.1", port=wire.port)
        shell = connections.shell(host)
        assert read_manifest(shell) is None
        eventually("the shell that waits ahead", lambda: a_shell_waits(connections, host))
        wire.hold_answers()
        lose(shell, SMALL, wire, lambda: carries(machine, SMALL))
        assert change(shell, SMALL) == PushResult()
        connections.close()
