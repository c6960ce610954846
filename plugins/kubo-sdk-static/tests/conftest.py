"""One lab for all tests: real machines with SSH servers, in a network namespace of their own; nothing is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubo_sdk_local import syscalls
from kubo_sdk_local.netlink import Netlink
from kubo_sdk_local.residue import snapshot

from .lab import Lab

CACHE = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
MACHINES, SECOND_ZONE = 10, 2


@pytest.fixture(scope="session")
def network() -> Iterator[None]:
    """This thread, and every thread it starts, in a fresh network namespace."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.unshare(syscalls.CLONE_NEWNET)
    try:
        with Netlink() as netlink:
            netlink.set_up(netlink.get_index("lo"))
        yield
    finally:
        syscalls.setns(before, syscalls.CLONE_NEWNET)
        os.close(before)


@pytest.fixture(scope="session")
def lab(network: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    root = home / "local"
    before = snapshot(root)
    made = Lab.make(home, CACHE, MACHINES, SECOND_ZONE, "10.81.0.0/24")
    yield made
    made.close()
    assert snapshot(root) - before == frozenset()
