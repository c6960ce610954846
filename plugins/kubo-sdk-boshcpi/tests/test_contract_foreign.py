"""The suite every CPI passes, over a foreign BOSH CPI of version 2 and one of version 1."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.contracts.cpi_disks import DiskCpiContract
from kubo_sdk.testing.contracts.cpi_machines import CpiMachines
from kubo_sdk.testing.contracts.cpi_site import CpiSite
from kubo_sdk.testing.spawn import Spawnable

from .conftest import CACHE, Foreign

SECRET = "hunter2-the-cloud-password"


class ForeignSite(CpiSite):
    """Simulated machines: the way onto them understands `true` and the mounting of disks."""

    runs_commands = False
    # A BOSH CPI is a process for each call, and has_vm one call for each machine listed.
    concurrent_creates = 6
    killed_moments = 2
    azs = ("z1", "z2")

    @pytest.fixture
    def options(self, foreign: Foreign, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
        monkeypatch.setenv("CLOUD_PASSWORD", SECRET)
        return {
            **foreign.options,
            "azs": {"z1": {"zone": "one"}, "z2": {"zone": "two"}},
            "secrets": {"password": {"variable": "CLOUD_PASSWORD"}},
            "context": {"account": {"password": "((password))"}},
            "cloud_properties": {"iam": "key ((password))"},
        }

    @pytest.fixture
    def connected(self, foreign: Foreign, options: dict[str, object]) -> Callable[[], DiskCpi]:
        return lambda: foreign.connect(**options)

    @pytest.fixture
    def cpi(self, connected: Callable[[], DiskCpi]) -> DiskCpi:
        return connected()

    @pytest.fixture
    def reconnected(self, connected: Callable[[], DiskCpi]) -> DiskCpi:
        return connected()

    @pytest.fixture
    def spawnable(self, foreign: Foreign, options: dict[str, object]) -> Spawnable:
        return Spawnable(provider="bosh", options=options, state_dir=foreign.state_dir, cache_dir=CACHE)

    @pytest.fixture
    def made_by_hand(self, foreign: Foreign) -> Callable[[], object]:
        machine = foreign.root / "vms" / "made-by-hand.json"
        machine.parent.mkdir(exist_ok=True)
        machine.write_text('{"agent_id": "made-by-hand", "disks": []}')
        return lambda: machine.exists() and machine.read_text()

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (SECRET, "hunter2-in-the-log", "hunter2-in-the-url")

    @pytest.fixture
    def break_next(self, foreign: Foreign) -> Callable[[str], object]:
        return lambda method: foreign.next(method, "broken")

    @pytest.fixture
    def exhaust_quota(self, foreign: Foreign) -> Callable[[], object]:
        return lambda: foreign.configure(vm_quota=len(foreign.has("vms")))

    @pytest.fixture
    def throttle(self, foreign: Foreign) -> Callable[[], object]:
        return lambda: foreign.next("create_vm", "retry")


class TestForeignCpi(ForeignSite, CpiContract):
    """Version 2, killed processes included."""


class TestForeignCpiOfVersionOne(ForeignSite, CpiMachines, DiskCpiContract):
    """No networks and no disk hints are told: the options say how to learn them.

    Machines and disks alone: what goes wrong is told alike in both versions.
    """

    @pytest.fixture
    def options(self, foreign: Foreign) -> dict[str, object]:
        foreign.configure(api_version=None)
        read = "import json,sys; print(json.load(open(f'{sys.argv[1]}/vms/{sys.argv[2]}.json'))['address'])"
        return {
            **foreign.options,
            "azs": {"z1": {}, "z2": {}},
            "disk_device": "/dev/sdb",
            "address_command": [sys.executable, "-IS", "-c", read, str(foreign.root), "{vm_cid}"],
        }
