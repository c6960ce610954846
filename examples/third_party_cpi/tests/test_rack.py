"""The rack keeps the contract of CPIs, and carries a cluster.  Fakes stand in it."""

import threading

import pytest
import rack_cpi
from attrs import evolve

from kubo_sdk import Cluster, Plugins, ProviderChoice
from kubo_sdk.errors import Conflict
from kubo_sdk.ports.cpi import VmState
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized


class Fake:
    def __init__(self, cpi, zone):
        self.cpi, self.zone, self.lock = cpi, zone, threading.RLock()
        self.label, self.vm, self.state, self.address = "", None, VmState.STARTING, ""
        self.reset = lambda: cpi.reboot_vm(self.vm.id)
        self.shell = lambda: cpi.open_shell(self.vm)

    def claim(self, label):
        self.label = self.label or label
        return self.label == label

    def install(self, label, request):
        with self.lock:
            if self.label != label:
                raise Conflict(f"{request.instance} was deleted while it was made; create it again")
            self.vm = self.cpi.create_vm(evolve(request, token=label))
            self.state, self.address = self.vm.state, self.vm.address

    def erase(self, label):
        with self.lock:
            if self.label == label:
                self.cpi.delete_vm(self.vm.id if self.vm else "nothing")
                self.label, self.vm, self.address = "", None, ""


@pytest.fixture
def cloud(monkeypatch):
    with FakeCloud(shares_trees=False) as cloud:
        cpi = Plugins(cloud.plugin(), load_installed=False).cpi("fake").connect(None, None)
        machines = [Fake(cpi, zone) for zone in ("z1", "z2") for _ in range(60)]
        monkeypatch.setattr(rack_cpi, "machines", machines, raising=False)
        yield cloud


class TestRack(CpiContract):
    runs_commands = False

    @pytest.fixture
    def clock(self, cloud):
        return cloud.clock

    @pytest.fixture
    def cpi(self, cloud):
        return rack_cpi.Rack(rack_cpi.RackConfig(machines="rack_cpi:machines"), None)

    @pytest.fixture
    def break_next(self, cloud):
        return lambda method: cloud.faults.fail(f"cpi.{method}")


def test_a_cluster_is_deployed_on_the_rack_and_deleted_again(cloud, tmp_path):
    rack = ProviderChoice(provider="rack", options={"machines": "rack_cpi:machines"})
    diskless = tuple(evolve(group, persistent_disk_mb=0) for group in sized())
    spec, plugins = fake_spec(tmp_path, cpi=rack, instance_groups=diskless), Plugins(cloud.plugin(), allow=["rack"])
    cluster = Cluster(spec, plugins=plugins, state_dir=tmp_path, cache_dir=tmp_path / "cache", clock=cloud.clock)
    cluster.deploy()
    assert cluster.plan().is_empty
    assert len([machine for machine in rack_cpi.machines if machine.label]) == 9
    cluster.delete()
    assert not any(machine.label for machine in rack_cpi.machines)
