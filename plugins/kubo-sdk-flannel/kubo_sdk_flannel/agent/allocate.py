"""Which subnet a node takes: its own lease, else its previous one, else a random free one.  Pure but for the dice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network

from kubo_sdk_flannel.agent.trouble import StoreTrouble
from kubo_sdk_flannel.agent.wire import Lease, Network

CANDIDATES = 100  # flannel rolls its dice among this many free subnets


class NoFreeSubnet(StoreTrouble):
    """Every subnet of the network is leased."""


def own_lease(leases: Iterable[Lease], public_ip: str) -> Lease | None:
    """The lease that carries this node's address."""
    return next((lease for lease in leases if lease.public_ip == public_ip), None)


def choose(
    network: Network,
    taken: Iterable[IPv4Network],
    previous: IPv4Network | None,
    pick: Callable[[Sequence[IPv4Network]], IPv4Network],
) -> IPv4Network:
    """A free subnet: *previous* where it is free and fits, else *pick* among the first free ones."""
    used = [(int(subnet.network_address), int(subnet.broadcast_address)) for subnet in taken]
    if previous is not None and network.fits(previous) and not _overlaps(previous, used):
        return previous
    free = _free(network, used)
    if not free:
        raise NoFreeSubnet(f"every /{network.subnet_length} of {network.network} is leased; widen the pod network")
    return pick(free)


def _overlaps(subnet: IPv4Network, used: Iterable[tuple[int, int]]) -> bool:
    first, last = int(subnet.network_address), int(subnet.broadcast_address)
    return any(low <= last and first <= high for low, high in used)


def _free(network: Network, used: Iterable[tuple[int, int]]) -> list[IPv4Network]:
    step = 1 << (32 - network.subnet_length)
    taken = {base for low, high in used for base in range(low - low % step, high + 1, step)}
    found: list[IPv4Network] = []
    for base in range(int(network.subnet_min), int(network.subnet_max) + 1, step):
        if base not in taken:
            found.append(IPv4Network((IPv4Address(base), network.subnet_length)))
            if len(found) == CANDIDATES:
                break
    return found
