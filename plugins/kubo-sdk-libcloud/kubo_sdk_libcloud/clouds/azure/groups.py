"""The network security group of a cluster, and the application security group that its machines are members of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from kubo_sdk.errors import ProviderError, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.azure.session import NETWORK, AzureSession
from kubo_sdk_libcloud.clouds.azure.telling import WIDTH
from kubo_sdk_libcloud.clouds.packing import mark_of, pack
from kubo_sdk_libcloud.firewall import Group, Rule

_FIRST_PRIORITY, _LAST_PRIORITY = 100, 4096


class Groups:
    """Found by their name, which holds the cluster's mark."""

    def __init__(self, session: AzureSession, location: str) -> None:
        self._session = session
        self._location = location

    def group(self, cluster: ClusterId) -> str:
        """The id of the network security group."""
        return self._session.path("Microsoft.Network/networkSecurityGroups", name_of(cluster))

    def members(self, cluster: ClusterId) -> str:
        """The id of the application security group."""
        return self._session.path("Microsoft.Network/applicationSecurityGroups", name_of(cluster))

    def ensure(self, cluster: ClusterId, rules: Iterable[Rule], tags: Mapping[str, str]) -> None:
        """Exactly *rules*: Azure replaces the whole list by what is put."""
        members = self.members(cluster)
        shared = {"location": self._location, "tags": pack(cluster, tags, WIDTH)}
        if not self._session.find(members, NETWORK, f"look for the members of {cluster}"):
            body = {**shared, "properties": {}}
            self._session.ask("PUT", members, NETWORK, f"make application security group {name_of(cluster)}", body)
        wanted = wished(rules, members)
        present = self._session.find(self.group(cluster), NETWORK, f"look for the security group of {cluster}")
        if not present or _told(present) != {each["name"]: _flat(each["properties"]) for each in wanted}:
            body = {**shared, "properties": {"securityRules": wanted}}
            self._session.ask("PUT", self.group(cluster), NETWORK, f"set the rules of {name_of(cluster)}", body)

    def remove(self, cluster: ClusterId) -> None:
        """Unavailable while interfaces that are going still use them."""
        for path in (self.group(cluster), self.members(cluster)):
            try:
                self._session.remove(path, NETWORK, f"remove security group {name_of(cluster)}")
            except ProviderError as error:
                if "InUse" not in str(error) and "CannotBeDeleted" not in str(error):
                    raise
                raise Unavailable(str(error), retry_after=5.0) from None


def name_of(cluster: ClusterId) -> str:
    """Unique by the mark, and told apart by people by its first part."""
    return f"kubo-{cluster.name}-{mark_of(cluster)}"


def wished(rules: Iterable[Rule], members: str) -> list[dict[str, Any]]:
    """Azure's rules: one per source and protocol.  The last one shuts what Azure's own leave open inside a network."""
    ports: dict[tuple[str, str], list[Rule]] = {}
    for rule in sorted((each for each in rules if Group.BALANCERS not in (each.group, each.source)), key=str):
        ports.setdefault((str(rule.source), rule.protocol), []).append(rule)
    found = [
        _rule(source, protocol, ports[source, protocol], _FIRST_PRIORITY + place, members)
        for place, (source, protocol) in enumerate(sorted(ports))
    ]
    return [*found, _shut()]


def _rule(source: str, protocol: str, accepted: list[Rule], priority: int, members: str) -> dict[str, Any]:
    ranges = sorted({(rule.first, rule.last) for rule in accepted})
    known: dict[str, Any] = {"sourceApplicationSecurityGroups": [{"id": members}]}
    if isinstance(accepted[0].source, IPv4Network):
        known = {"sourceAddressPrefix": source}
    return {
        "name": f"{protocol}-{source.replace('.', '-').replace('/', '-')}",
        "properties": {
            "priority": priority,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": protocol.capitalize(),
            "sourcePortRange": "*",
            "destinationPortRanges": [str(a) if a == b else f"{a}-{b}" for a, b in ranges],
            "destinationApplicationSecurityGroups": [{"id": members}],
            **known,
        },
    }


def _shut() -> dict[str, Any]:
    return {
        "name": "nothing-else",
        "properties": {
            "priority": _LAST_PRIORITY,
            "direction": "Inbound",
            "access": "Deny",
            "protocol": "*",
            "sourcePortRange": "*",
            "sourceAddressPrefix": "*",
            "destinationPortRange": "*",
            "destinationAddressPrefix": "*",
        },
    }


def _told(group: Any) -> dict[str, Any]:
    return {each["name"]: _flat(each["properties"]) for each in group["properties"].get("securityRules") or ()}


def _flat(properties: Mapping[str, Any]) -> tuple[Any, ...]:
    """Comparable: Azure fills in what was left out, and changes the case of ids."""

    def groups(side: str) -> tuple[str, ...]:
        return tuple(each["id"].lower() for each in properties.get(f"{side}ApplicationSecurityGroups") or ())

    return (
        properties["priority"],
        properties["direction"],
        properties["access"],
        str(properties["protocol"]).lower(),
        properties.get("sourceAddressPrefix") or "",
        tuple(sorted(properties.get("destinationPortRanges") or ())),
        groups("source"),
        groups("destination"),
    )
