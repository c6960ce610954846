"""The data plane of one node: brings the kernel to what the leases ask for, as often as somebody disturbs it."""

from __future__ import annotations

from typing import NamedTuple

from kubo_sdk_flannel.agent import tables
from kubo_sdk_flannel.agent.dataplane import Changes, Devices, Entries, changes, device_mtu, is_ours, wished_for
from kubo_sdk_flannel.agent.device import VxlanDevice, find_underlay
from kubo_sdk_flannel.agent.netlink import Netlink
from kubo_sdk_flannel.agent.store import View
from kubo_sdk_flannel.agent.wire import VXLAN, Network


class Outcome(NamedTuple):
    """What one pass changed, and what it could not."""

    changes: Changes
    failed: tuple[str, ...]


class Plane:
    """VXLAN or host-gw, as the network says."""

    def __init__(self, network: Network, public_ip: str) -> None:
        self._kernel = Netlink()
        self._network = network
        self._public_ip = public_ip
        self._vxlan = VxlanDevice(self._kernel, network, public_ip)
        self._underlay = find_underlay(self._kernel, public_ip)

    @property
    def mtu(self) -> int:
        """The MTU pods may use."""
        return device_mtu(self._network, self._underlay.mtu)

    @property
    def mac(self) -> str:
        return self._vxlan.mac

    @property
    def device(self) -> str:
        """The name of the VXLAN device; empty for host-gw."""
        return self._vxlan.name if self._uses_vxlan else ""

    @property
    def devices(self) -> Devices:
        """The interfaces whose events matter."""
        return Devices(self._underlay.device, self._vxlan.index)

    def prepare(self, lease_mac: str) -> None:
        """Settle the MAC this node announces and remove what an earlier configuration left."""
        if self._uses_vxlan:
            self._vxlan.adopt_mac(lease_mac)
        self._vxlan.remove_others()

    def reconcile(self, view: View) -> Outcome:
        """One pass.  Raises OSError or NoUnderlay when not even the device can be had."""
        self._underlay = find_underlay(self._kernel, self._public_ip)
        if self._uses_vxlan:
            self._vxlan.ensure(self._underlay, view.own.subnet)
        wished = wished_for(view, self._network, self.devices, lambda address: tables.on_link(self._kernel, address))
        todo = changes(wished, self._found(view))
        return Outcome(todo, tuple(tables.apply(self._kernel, todo, self._vxlan.index)))

    @property
    def _uses_vxlan(self) -> bool:
        return self._network.backend.type == VXLAN

    def _found(self, view: View) -> Entries:
        index = self._vxlan.index
        routes = (
            route for route in tables.routes(self._kernel) if is_ours(route, view.own, self._network, self.devices)
        )
        return Entries(
            tables.neighbours(self._kernel, index) if index else frozenset(),
            tables.forwardings(self._kernel, index) if index else frozenset(),
            frozenset(routes),
        )
