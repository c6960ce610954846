"""Which address a machine gets.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import IPv4Network

from kubo_sdk.errors import QuotaExceeded


def gateway(subnet: IPv4Network) -> str:
    """The bridge's own address: the first one."""
    return str(subnet[1])


def choose(subnet: IPv4Network, instance: str, taken: Collection[str], remembered: Mapping[str, str]) -> str:
    """The address for *instance*: the one it had, else the lowest that nobody has or had, else the lowest free.

    *taken* are the addresses of machines that exist, *remembered* the last address of each instance that ever did.
    """
    before = remembered.get(instance)
    if before is not None and before not in taken:
        return before
    avoided = set(remembered.values())
    free = [str(address) for address in subnet.hosts() if address != subnet[1] and str(address) not in taken]
    if not free:
        raise QuotaExceeded(f"all addresses of {subnet} are in use; give the cpi a larger subnet")
    return next((address for address in free if address not in avoided), free[0])
