"""The machines of the box: real ones of the CPI ``local``, with the address and the user data that EC2 promised."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path

from attrs import frozen
from kubo_sdk_local import faults
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.records import read_cluster
from kubo_sdk_local.stemcell import Stemcell
from kubo_sdk_local.storage import read_json, remove_tree, write_json

from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.ports.cpi import Vm, VmRequest
from kubo_sdk.ports.shell import Shell

from . import image

DIRECTOR = "box"


@frozen(kw_only=True)
class Wish:
    """One instance as EC2 promised it."""

    id: str
    vpc: str
    cidr: str
    address: str
    az: str
    user_data: str
    login_keys: tuple[str, ...] = ()

    @property
    def instance(self) -> Instance:
        return Instance(group=self.id, index=0, role=Role.WORKER, az=self.az)


class Machines:
    """All of them live below *home*; each VPC is a cluster of the CPI with a bridge of its own."""

    def __init__(self, home: Path, cache: Path) -> None:
        self._home, self._cache = home, cache
        self._running: dict[str, tuple[LocalCpi, Vm]] = {}
        self._stopped: dict[str, tuple[LocalCpi, Vm]] = {}
        self._cpis: dict[str, LocalCpi] = {}
        self.boots: dict[str, int] = {}
        Stemcell.of(LocalConfig(cache=cache, stemcell_packages=image.PACKAGES)).ensure()
        self._image = image.lay_out(home / "image")

    def ids(self) -> frozenset[str]:
        """Every instance that has a machine, running or not."""
        return frozenset({*self._running, *self._stopped})

    def is_running(self, id: str) -> bool:
        return id in self._running

    def shell(self, id: str) -> Shell:
        """The back door, for what a hypervisor does."""
        cpi, vm = self._running[id]
        return cpi.open_shell(vm)

    def network(self, vpc: str, cidr: str) -> LocalCpi:
        """The CPI that makes machines in the VPC, whose bridge is there from now on."""
        if vpc not in self._cpis:
            cpi = cpi_of(self._home, self._cache, cidr)
            cpi.prepare(ClusterId(director=DIRECTOR, name=vpc))
            self._cpis[vpc] = cpi
        return self._cpis[vpc]

    def run(self, wish: Wish) -> None:
        """Make the machine and boot it, or boot the stopped one."""
        cpi = self.network(wish.vpc, wish.cidr)
        cluster = ClusterId(director=DIRECTOR, name=wish.vpc)
        self._promise(cpi, cluster, wish)
        seed = image.lay_out_seed(self._home / "seeds" / wish.id, _meta_data(wish), wish.user_data)
        vm = cpi.create_vm(VmRequest(cluster=cluster, instance=wish.instance, token=wish.id, trees=(self._image, seed)))
        if vm.address != wish.address:
            raise AssertionError(f"{wish.id} was promised {wish.address} and got {vm.address}")
        self._stopped.pop(wish.id, None)
        self._running[wish.id] = (cpi, vm)
        self._count_boot(wish.id)

    def _promise(self, cpi: LocalCpi, cluster: ClusterId, wish: Wish) -> None:
        """The CPI gives an instance the address it had before."""
        path = cpi.layout.cluster(cluster) / "addresses.json"
        write_json(path, {**(read_json(path) or {}), wish.instance.slug: wish.address})

    def _count_boot(self, id: str) -> None:
        self.boots[id] = self.boots.get(id, 0) + 1

    def stop(self, id: str) -> None:
        cpi, vm = self._running.pop(id)
        faults.power_off(cpi, vm)
        self._stopped[id] = (cpi, vm)

    def reboot(self, id: str) -> None:
        cpi, vm = self._running[id]
        cpi.reboot_vm(vm.id)
        self._count_boot(id)

    def cut_off(self, id: str) -> None:
        """Take the machine off the network; it runs on."""
        faults.cut_off(*self._running[id])

    def terminate(self, id: str) -> None:
        cpi, vm = self._running.pop(id, None) or self._stopped.pop(id)
        cpi.delete_vm(vm.id)
        remove_tree(self._home / "seeds" / id)


def _meta_data(wish: Wish) -> str:
    hostname = f"ip-{wish.address.replace('.', '-')}"
    return json.dumps({"instance-id": wish.id, "local-hostname": hostname, "public-keys": list(wish.login_keys)})


def cpi_of(home: Path, cache: Path, cidr: str) -> LocalCpi:
    config = LocalConfig(root=home / "local", cache=cache, subnet=IPv4Network(cidr), stemcell_packages=image.PACKAGES)
    return LocalCpi(config, Layout(config.state), Stemcell.of(config))


def clear(home: Path, cache: Path) -> None:
    """End every machine below *home*, whoever made it, and remove their networks."""
    directory = Layout(home / "local").directors() / DIRECTOR
    for path in sorted(directory.glob("*/cluster.json")):
        cluster = ClusterId(director=DIRECTOR, name=path.parent.name)
        record = read_cluster(Layout(home / "local"), cluster)
        if record is None:
            continue
        cpi = cpi_of(home, cache, str(record.subnet))
        for vm in cpi.list_vms(cluster):
            cpi.delete_vm(vm.id)
        cpi.dispose(cluster)
