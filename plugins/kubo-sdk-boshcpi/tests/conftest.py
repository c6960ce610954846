"""A foreign CPI for each test, and machines in a network namespace of the test's own for the whole chain."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from kubo_sdk.config import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.cpi import DiskCpi, DiskRequest, VmRequest
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_boshcpi.config import BoshConfig
from kubo_sdk_boshcpi.connect import connect

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
DEMO = ClusterId(director="tests", name="demo")


def instance(name: str = "worker/0", az: str = "z1") -> Instance:
    group, _, index = name.partition("/")
    return Instance(group=group, index=int(index), role=Role.WORKER, az=az)


def vm_request(name: str = "worker/0", *, az: str = "z1", **more: Any) -> VmRequest:
    slot = instance(name, az)
    return VmRequest(**{"cluster": DEMO, "instance": slot, "token": slot.slug, **more})


def disk_request(name: str = "etcd/0", size_mb: int = 64) -> DiskRequest:
    slot = instance(name)
    return DiskRequest(cluster=DEMO, instance=slot, token=slot.slug, size_mb=size_mb)


def make_executable(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o755)
    return path


def connect_with(options: dict[str, Any], state_dir: Path) -> DiskCpi:
    """The CPI for those options, read as the core reads them."""
    config, problems = structure(BoshConfig, options, "cpi")
    if config is None:
        raise ConfigError(problems)
    context = ConnectContext(
        spec=ClusterSpec(
            name="demo", director="tests", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2"))
        ),
        state_dir=state_dir,
        cache_dir=CACHE,
        base_dir=state_dir.parent,
    )
    return connect(config, context)


@frozen
class Foreign:
    """A foreign CPI executable, what it has made, and how to make it go wrong."""

    root: Path
    state_dir: Path

    @property
    def options(self) -> dict[str, Any]:
        shell = str(HERE / "foreign_shell.py")
        return {
            "executable": str(self.root / "cpi"),
            "stemcell": "stemcell-1",
            "shell_command": [sys.executable, "-I", shell, str(self.root), "{vm_cid}"],
            "timeout": 60.0,
        }

    def connect(self, **more: Any) -> DiskCpi:
        return connect_with({**self.options, **more}, self.state_dir)

    def configure(self, **settings: Any) -> None:
        (self.root / "config.json").write_text(json.dumps(settings))

    def next(self, method: str, mode: str) -> None:
        """The next call of *method* goes wrong that way."""
        (self.root / "modes").mkdir(exist_ok=True)
        (self.root / "modes" / method).write_text(mode)

    def has(self, kind: str) -> dict[str, dict[str, Any]]:
        """The machines, disks or stemcells that exist, by cid."""
        return {path.stem: json.loads(path.read_text()) for path in (self.root / kind).glob("*.json")}

    def requests(self, method: str) -> list[dict[str, Any]]:
        """Every request for *method*, in the order of arrival."""
        return [json.loads(path.read_bytes()) for path in sorted((self.root / "requests").glob(f"*-{method}"))]

    def commands(self) -> list[list[str]]:
        """What was run on machines, each with the cid first."""
        notes = self.root / "commands"
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []


@pytest.fixture
def foreign(tmp_path: Path) -> Foreign:
    root = tmp_path / "foreign"
    root.mkdir()
    script = HERE / "foreign_cpi.py"
    make_executable(root / "cpi", f'#!/bin/sh\nexec {sys.executable} -IS {script} {root} "$@"\n')
    return Foreign(root, tmp_path / "state")


@pytest.fixture
def prepared(foreign: Foreign) -> DiskCpi:
    """The CPI over the foreign executable, with the cluster `DEMO` prepared."""
    cpi = foreign.connect()
    cpi.prepare(DEMO)
    return cpi


Connect = Callable[..., DiskCpi]


@pytest.fixture
def network() -> Iterator[None]:
    """This thread, and what it starts, in a fresh network namespace."""
    from kubo_sdk_local import syscalls  # noqa: PLC0415 - only tests with real machines need root
    from kubo_sdk_local.netlink import Netlink  # noqa: PLC0415

    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.unshare(syscalls.CLONE_NEWNET)
    try:
        with Netlink() as netlink:
            netlink.set_up(netlink.get_index("lo"))
        yield
    finally:
        syscalls.setns(before, syscalls.CLONE_NEWNET)
        os.close(before)


@frozen
class Chain:
    """The provider `bosh` over ``kubo-cpi`` over `local`, below one directory."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "cpi.json"

    @property
    def command(self) -> str:
        return str(Path(sys.executable).with_name("kubo-cpi"))

    @property
    def options(self) -> dict[str, Any]:
        return {
            "executable": self.command,
            "arguments": [str(self.settings)],
            "shell_command": [self.command, "shell", str(self.settings), "{vm_cid}"],
            "timeout": 120.0,
        }

    def connect(self, **more: Any) -> DiskCpi:
        return connect_with({**self.options, **more}, self.root / "sdk")


@pytest.fixture
def chain(tmp_path: Path, network: None) -> Iterator[Chain]:
    """Its machines are of the local CPI; afterwards a look around finds nothing of them."""
    from kubo_sdk_local.residue import snapshot  # noqa: PLC0415

    made = Chain(tmp_path)
    settings = {
        "provider": "local",
        "options": {"root": "machines", "subnet": "10.77.0.0/24"},
        "state_dir": "state",
        "cache_dir": str(CACHE),
    }
    made.settings.write_text(json.dumps(settings))
    before = snapshot(tmp_path / "machines")
    yield made
    assert snapshot(tmp_path / "machines") - before == frozenset()
