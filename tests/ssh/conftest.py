"""Fixtures: a network of the test's own, machines in it, and connections that are closed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.ssh import SshConnections

from .machines import Keys, Machine, network, new_keys


@pytest.fixture(scope="module")
def own_network() -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("makes namespaces, which needs root")
    with network():
        yield


@pytest.fixture(scope="module")
def keys() -> Keys:
    return new_keys()


@pytest.fixture(scope="module")
def machine(own_network: None, keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that the tests of one file share; none of them stops it."""
    made = Machine(tmp_path_factory.mktemp("machine") / "disk", "127.0.0.10", keys)
    try:
        yield made.make().start()
    finally:
        made.stop()


@pytest.fixture
def new_machine(own_network: None, keys: Keys, tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Starts machines of the test's own: ``new_machine(options="MaxSessions 1\\n")``."""
    made: list[Machine] = []

    def make(**more: Any) -> Machine:
        number = len(made)
        given = {"address": f"127.0.1.{number + 1}", "keys": keys, **more}
        machine = Machine(tmp_path / f"machine{number}", **given)
        made.append(machine)
        return machine.make().start()

    yield make
    for machine in made:
        machine.stop()


@pytest.fixture
def connections(own_network: None) -> Iterator[SshConnections]:
    made = SshConnections()
    yield made
    made.close()
