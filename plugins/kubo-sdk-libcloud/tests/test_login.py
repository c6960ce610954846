"""The key that directors log in with: in the credential store, or in a file of its owner's alone."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk.ports.credentials import KeyPair
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.ssh import public_key_of
from kubo_sdk.testing.fakes.clock import VirtualClock
from kubo_sdk.testing.fakes.faults import Faults
from kubo_sdk.testing.fakes.store import MemoryStore
from kubo_sdk_libcloud.login import LoginKeys

from .conftest import MakeCpi
from .fleet import Fleet

CLUSTER = ClusterId(director="login", name="demo")
WORKER = Instance(group="worker", index=0, role=Role.WORKER, az="z1")


@pytest.fixture
def store() -> MemoryStore:
    clock = VirtualClock()
    return MemoryStore(clock, Faults(clock))


@pytest.fixture
def context(context: ConnectContext, store: MemoryStore) -> ConnectContext:
    return evolve(context, credential_store=store)


def test_the_key_of_the_store_enters_machines_from_anywhere(
    make_cpi: MakeCpi, store: MemoryStore, fleet: Fleet, context: ConnectContext, caplog: pytest.LogCaptureFixture
) -> None:
    cpi = make_cpi()
    cpi.prepare(CLUSTER)
    with caplog.at_level(logging.DEBUG):
        made = cpi.create_vm(VmRequest(cluster=CLUSTER, instance=WORKER, token="worker"))
        kept = store.get(CLUSTER.credential("ssh")).value
        assert isinstance(kept, KeyPair)
        (account,) = fleet.told(made.id)["users"]
        assert account["ssh_authorized_keys"] == [f"{public_key_of(kept.private_key)} {CLUSTER}"]
        # Another director has nothing but the store and the tags.
        other = make_cpi()
        (found,) = other.list_vms(CLUSTER)
        assert other.open_shell(found).run(["true"]).exit_code == 0
    assert not (context.state_dir / "libcloud").exists()
    secret = kept.private_key.reveal().splitlines()[1]
    assert secret not in caplog.text
    assert secret not in f"{cpi!r} {other.login!r} {found!r}"
    other.delete_vm(made.id)
    other.dispose(CLUSTER)


def test_without_a_store_threads_and_processes_share_one_file_of_the_owners(tmp_path: Path) -> None:
    connected = [LoginKeys(store=None, directory=tmp_path / "keys") for _ in range(20)]
    with ThreadPoolExecutor(len(connected)) as pool:
        keys = {secret.reveal() for secret in pool.map(lambda each: each.ensure(CLUSTER), connected)}
    assert len(keys) == 1
    paths: dict[str, Any] = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").rglob("*")}
    assert paths == {"login": 0o700, "demo": 0o700, "ssh": 0o600}
    connected[0].forget(CLUSTER)
    assert not list((tmp_path / "keys").rglob("*"))


def test_a_key_that_was_never_made_is_not_found(tmp_path: Path, store: MemoryStore) -> None:
    for each in (LoginKeys(store=None, directory=tmp_path), LoginKeys(store=store, directory=tmp_path)):
        with pytest.raises(NotFound):
            each.get(CLUSTER)
