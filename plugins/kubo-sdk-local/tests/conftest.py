"""Machines of the tests: a network namespace and a root directory of their own, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.cpi import Vm, VmRequest
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_local import syscalls
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.cpi import LocalCpi, connect
from kubo_sdk_local.netlink import Netlink
from kubo_sdk_local.residue import snapshot
from kubo_sdk_local.stemcell import Stemcell

CACHE = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
DEMO = ClusterId(director="tests", name="demo")


def instance(name: str = "worker/0", az: str = "z1") -> Instance:
    group, _, index = name.partition("/")
    return Instance(group=group, index=int(index), role=Role.WORKER, az=az)


def request(name: str = "worker/0", *, cluster: ClusterId = DEMO, token: str = "", **more: Any) -> VmRequest:
    return VmRequest(cluster=cluster, instance=instance(name), token=token or f"token of {name}", **more)


def out(cpi: LocalCpi, vm: Vm, *command: str) -> str:
    """What *command* prints on the machine; it must succeed."""
    return cpi.open_shell(vm).run(command).check(" ".join(command)).decode().strip()


def boot(cpi: LocalCpi, vm: Vm) -> None:
    """Wait until the machine's systemd says that it is done."""

    def running() -> bool | None:
        outcome = cpi.open_shell(vm).run(["systemctl", "is-system-running", "--wait"])
        return True if outcome.exit_code == 0 else None

    wait_until(running, what=f"the boot of {vm.instance}", timeout=30, interval=0.05)


@pytest.fixture(scope="session")
def stemcell() -> Stemcell:
    """Built by the first session that needs it; later ones find it in the cache."""
    found = Stemcell(parent=CACHE / "stemcells")
    found.ensure()
    return found


@pytest.fixture
def network() -> Iterator[None]:
    """This thread, and what it starts, in a fresh network namespace."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.unshare(syscalls.CLONE_NEWNET)
    try:
        with Netlink() as netlink:
            netlink.set_up(netlink.get_index("lo"))
        yield
    finally:
        syscalls.setns(before, syscalls.CLONE_NEWNET)
        os.close(before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def make_cpi(root: Path, network: None, stemcell: Stemcell) -> Iterator[Callable[..., LocalCpi]]:
    """Makes CPIs below *root*; afterwards everything of theirs is removed, and a look around finds nothing."""
    before = snapshot(root)
    made: list[LocalCpi] = []

    def make(**options: Any) -> LocalCpi:
        context = ConnectContext(
            spec=ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2"))),
            state_dir=root,
            cache_dir=CACHE,
            base_dir=root.parent,
        )
        cpi = connect(LocalConfig(**options), context)
        assert isinstance(cpi, LocalCpi)
        made.append(cpi)
        return cpi

    yield make
    for cpi in made:
        clear(cpi)
    assert snapshot(root) - before == frozenset()


def clear(cpi: LocalCpi) -> None:
    """Remove every cluster below the CPI's root."""
    paths = {*cpi.layout.directors().glob("*/*/"), *(cpi.layout.root / "disks").glob("*/*/")}
    for path in paths:
        cluster = ClusterId(director=path.parent.name, name=path.name)
        for vm in cpi.list_vms(cluster):
            cpi.delete_vm(vm.id)
        for disk in cpi.list_disks(cluster):
            cpi.delete_disk(disk.id)
        cpi.dispose(cluster)


@pytest.fixture
def cpi(make_cpi: Callable[..., LocalCpi]) -> LocalCpi:
    """A CPI with the cluster `DEMO` prepared."""
    made = make_cpi()
    made.prepare(DEMO)
    return made


SECOND_SUBNET = IPv4Network("10.78.0.0/24")
