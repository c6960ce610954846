"""Kubelets of fake machines, and the Nodes they keep: worked out from the machines whenever somebody reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from kubo_sdk.testing.fakes.objects import Object, ObjectStore, Place, Stored
from kubo_sdk.testing.fakes.units import FakeUnit, flags, kubernetes_version

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

# After so many seconds without a word of its kubelet, a Node is no longer Ready.
GRACE = 40.0
NODES = Place(root="/api/v1", plural="nodes")
UNKNOWN = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
NO_RUNTIME = ("False", "KubeletNotReady", "container runtime is down")
READY = ("True", "KubeletReady", "kubelet is posting ready status")

Status = tuple[str, str, str]


class KubeletProcess:
    """Registers its Node once, when it has started and an API server answers."""

    def __init__(self, machine: FakeMachine, unit: FakeUnit, text: str) -> None:
        self.machine, self.unit = machine, unit
        self.flags = flags(text)
        self.version = kubernetes_version(text) or machine.cloud.kubernetes_version(machine)
        self.name = self.flags["hostname-override"].lower()
        self.last_seen: float | None = None
        machine.site.nodes.expect(self)

    def ready(self) -> bool:
        return True

    @property
    def is_alive(self) -> bool:
        return self.unit.process is self and self.machine.serves(self.unit)

    def pause(self) -> None:
        """It falls silent now, if it was not before."""
        if self.is_alive:
            self.last_seen = self.machine.cloud.clock.time

    def resume(self) -> None:
        self.last_seen = None

    def stop(self) -> None:
        if self.last_seen is None:
            self.last_seen = self.machine.cloud.clock.time

    def status(self) -> Status:
        """What its Node's condition Ready says now."""
        if self.is_alive:
            return READY if self.machine.runs("containerd") else NO_RUNTIME
        now = self.machine.cloud.clock.time
        return READY if self.last_seen is not None and now < self.last_seen + GRACE else UNKNOWN


@define(eq=False)
class Nodes:
    """The kubelets of one cluster by the names of their Nodes."""

    node_cidrs: bool = False
    _kubelets: dict[str, KubeletProcess] = field(factory=dict)
    _new: dict[str, KubeletProcess] = field(factory=dict)
    _told: dict[str, Status] = field(factory=dict)
    _count: int = 0

    def expect(self, kubelet: KubeletProcess) -> None:
        """A kubelet has started; it registers when it is up."""
        self._new[kubelet.name] = kubelet

    def release(self, store: ObjectStore, name: str) -> None:
        """The Node *name* was deleted: its kubelet does not register again before its next start, its pods go."""
        self._kubelets.pop(name, None)
        self._told.pop(name, None)
        for stored in tuple(store.find("/api/v1", "pods")):
            if stored.item.get("spec", {}).get("nodeName") == name:
                metadata = stored.item["metadata"]
                store.remove(Place(root="/api/v1", plural="pods", namespace=metadata["namespace"]), metadata["name"])

    def refresh(self, store: ObjectStore, nodes: Iterable[Stored]) -> bool:
        """Bring these Nodes of *store* to what their kubelets say now.  Whether that changed any."""
        changed = False
        for stored in nodes:
            name = stored.item["metadata"]["name"]
            kubelet = self._kubelets.get(name)
            if kubelet is None:
                continue
            status = kubelet.status()
            if self._told.get(name) != status:
                self._told[name] = status
                store.write(NODES, {**stored.item, "status": _status(kubelet, status)})
                changed = True
        return changed

    def register(self, store: ObjectStore) -> None:
        """Let the kubelets register that have come up since."""
        for name, kubelet in tuple(self._new.items()):
            if kubelet.unit.process is not kubelet:
                self._new.pop(name, None)
            elif kubelet.is_alive:
                self._new.pop(name, None)
                self._kubelets[name] = kubelet
                self._told.pop(name, None)
                if store.get(NODES, name) is None:
                    store.write(NODES, self._node(kubelet))

    def _node(self, kubelet: KubeletProcess) -> Object:
        labels = dict(pair.split("=", 1) for pair in kubelet.flags.get("node-labels", "").split(",") if pair)
        spec = {"providerID": kubelet.flags.get("provider-id", "")}
        if self.node_cidrs:
            spec["podCIDR"] = f"10.{200 + self._count // 256 % 50}.{self._count % 256}.0/24"
            self._count += 1
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": kubelet.name, "labels": {"kubernetes.io/hostname": kubelet.name, **labels}},
            "spec": spec,
            "status": _status(kubelet, kubelet.status()),
        }


def _status(kubelet: KubeletProcess, status: Status) -> Object:
    word, reason, message = status
    heard = kubelet.machine.cloud.clock.today.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "addresses": [
            {"type": "InternalIP", "address": kubelet.flags.get("node-ip", kubelet.machine.address)},
            {"type": "Hostname", "address": kubelet.name},
        ],
        "conditions": [
            {"type": "Ready", "status": word, "reason": reason, "message": message, "lastHeartbeatTime": heard}
        ],
        "nodeInfo": {"kubeletVersion": f"v{kubelet.version}"},
    }
