"""The records of one Service, as the Kubernetes DNS specification 1.1 has them.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from kubo_sdk_powerdns.cluster.agent.objects import Port, Service, Slice, is_address

# By name, without the dot at its end and in small letters: types with their contents, as in a zone file.
Records = dict[str, tuple[tuple[str, str], ...]]

PRIORITY, WEIGHT = 0, 100


def records_of(service: Service, slices: Iterable[Slice], zone: str) -> Records:
    """Everything that follows from *service* and its *slices* below *zone*, and the names of its addresses.

    A headless Service without a ready endpoint has no name at all, as the specification wants it.
    """
    namespace, _, name = service.key.partition("/")
    own = f"{name}.{namespace}.svc.{zone}".lower()
    if service.external:
        # An address is no name, though the API takes it for one.
        return {} if is_address(service.external) else {own: (("CNAME", f"{service.external.lower()}."),)}
    found = _Found()
    if service.headless:
        _add_headless(found, own, slices)
    else:
        for address in service.addresses:
            found.add(own, *_address(address))
            found.add(reverse_name(address), "PTR", f"{own}.")
        if service.addresses:
            _add_ports(found, own, service.ports, (own,))
    return found.sorted()


def reverse_name(address: str) -> str:
    """``1.200.100.10.in-addr.arpa``."""
    return ip_address(address).reverse_pointer


class _Found:
    """Record sets while they are put together."""

    def __init__(self) -> None:
        self._sets: dict[str, set[tuple[str, str]]] = {}

    def add(self, name: str, kind: str, content: str) -> None:
        self._sets.setdefault(name, set()).add((kind, content))

    def sorted(self) -> Records:
        return {name: tuple(sorted(records)) for name, records in self._sets.items()}


def _add_headless(found: _Found, own: str, slices: Iterable[Slice]) -> None:
    """Every ready endpoint has a name of its own: its hostname, or what its address looks like in one label."""
    for each in slices:
        targets = []
        for address, hostname in each.endpoints:
            target = f"{hostname or _label(address)}.{own}"
            found.add(own, *_address(address))
            found.add(target, *_address(address))
            found.add(reverse_name(address), "PTR", f"{target}.")
            targets.append(target)
        if targets:
            _add_ports(found, own, each.ports, targets)


def _add_ports(found: _Found, own: str, ports: Sequence[Port], targets: Sequence[str]) -> None:
    """A named port below its protocol.  The name of the Service lists all of them, with or without a name: that is more
    than the specification asks for, and what clients that look for their peers use."""
    for port in ports:
        for content in _srv(port, targets):
            found.add(own, "SRV", content)
            if port.name:
                found.add(f"_{port.name}._{port.protocol}.{own}", "SRV", content)


def _srv(port: Port, targets: Sequence[str]) -> Iterator[str]:
    return (f"{PRIORITY} {WEIGHT} {port.number} {target}." for target in targets)


def _address(text: str) -> tuple[str, str]:
    address = ip_address(text)
    return ("A" if address.version == 4 else "AAAA"), str(address)


def _label(text: str) -> str:
    address = ip_address(text)
    return address.exploded.replace(":", "-").replace(".", "-")
