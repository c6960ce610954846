"""What every store of a network offers the agent: etcd and Kubernetes alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from kubo_sdk_flannel.agent.wire import Lease, Network


class View(NamedTuple):
    """The network as this node knows it: its own lease and everybody else's."""

    own: Lease
    others: tuple[Lease, ...]


class Opened(NamedTuple):
    """What a store held when it was opened.  ``own``: the lease this node had before, where there is one."""

    network: Network
    own: Lease | None


class Store(Protocol):
    def open(self) -> Opened | None:
        """The network's configuration, or None while there is none.  Raises StoreTrouble, BadNetwork."""
        ...

    def join(self, backend: str, vni: int, mac: str) -> View:
        """Take a lease and return it with the others.  Raises StoreTrouble, NoFreeSubnet."""
        ...

    def follow(self, publish: Callable[[View], None]) -> None:
        """Report every change until the connection breaks (StoreTrouble) or NetworkChanged; keeps the lease alive."""
        ...

    def expires_at(self) -> float:
        """When the own lease ends if nobody renews it, in seconds since 1970; 0 where leases do not end."""
        ...
