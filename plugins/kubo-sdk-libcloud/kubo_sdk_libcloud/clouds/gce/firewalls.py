"""The firewall rules of a cluster: one per source, for the machines with the cluster's network tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.gce.session import GceSession
from kubo_sdk_libcloud.clouds.packing import mark_of
from kubo_sdk_libcloud.firewall import Group, Rule

_FIREWALLS = "/global/firewalls"
# Where Google's balancers look after their members from.
HEALTH_CHECKS = ("35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22")
_COMPARED = ("allowed", "network", "sourceRanges", "sourceTags", "targetTags")


class Firewalls:
    """Found by their names, which begin with the cluster's network tag."""

    def __init__(self, session: GceSession, network: str) -> None:
        self._session = session
        self._network = network

    def ensure(self, cluster: ClusterId, rules: Iterable[Rule]) -> None:
        """Exactly *rules*."""
        wanted = wished(cluster, rules, self._network)
        present = {each["name"]: each for each in self._present(cluster)}
        for name in sorted(wanted):
            if name not in present:
                self._add(name, wanted[name])
            elif not _same(present[name], wanted[name]):
                self._session.do("PUT", f"{_FIREWALLS}/{name}", f"correct firewall rule {name}", wanted[name])
        for name in sorted(present.keys() - wanted.keys()):
            self._drop(name)

    def remove(self, cluster: ClusterId) -> None:
        for each in self._present(cluster):
            self._drop(each["name"])

    def _present(self, cluster: ClusterId) -> list[Any]:
        what = f"list the firewall rules of {cluster}"
        return self._session.pages(_FIREWALLS, what, f'name eq "{tag_of(cluster)}-.*"')

    def _add(self, name: str, body: Mapping[str, Any]) -> None:
        try:
            self._session.do("POST", _FIREWALLS, f"make firewall rule {name}", body)
        except Conflict:
            return  # another process made it just now

    def _drop(self, name: str) -> None:
        try:
            self._session.do("DELETE", f"{_FIREWALLS}/{name}", f"remove firewall rule {name}")
        except NotFound:
            return


def tag_of(cluster: ClusterId) -> str:
    """The network tag of the cluster's machines."""
    return f"kubo-{mark_of(cluster)}"


def wished(cluster: ClusterId, rules: Iterable[Rule], network: str) -> dict[str, dict[str, Any]]:
    """The firewall resources, by name, that allow *rules*."""
    by_source: dict[Group | IPv4Network, list[Rule]] = {}
    for rule in sorted((each for each in rules if each.group is Group.MACHINES), key=str):
        by_source.setdefault(rule.source, []).append(rule)
    tag = tag_of(cluster)
    found = {}
    for source, accepted in by_source.items():
        name = f"{tag}-{str(source).replace('.', '-').replace('/', '-')}"
        found[name] = {
            "name": name,
            "description": f"kubo_sdk cluster {cluster}",
            "network": network,
            "direction": "INGRESS",
            "targetTags": [tag],
            "allowed": _allowed(accepted),
            **_from(source, tag),
        }
    return found


def _allowed(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    ports: dict[str, set[tuple[int, int]]] = {}
    for rule in rules:
        ports.setdefault(rule.protocol, set()).add((rule.first, rule.last))
    return [
        {"IPProtocol": protocol, "ports": [str(a) if a == b else f"{a}-{b}" for a, b in sorted(ports[protocol])]}
        for protocol in sorted(ports)
    ]


def _from(source: Group | IPv4Network, tag: str) -> dict[str, list[str]]:
    if isinstance(source, IPv4Network):
        return {"sourceRanges": [str(source)]}
    return {"sourceTags": [tag]} if source is Group.MACHINES else {"sourceRanges": list(HEALTH_CHECKS)}


def _same(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_plain(present.get(key)) == _plain(wanted.get(key)) for key in _COMPARED)


def _plain(value: Any) -> Any:
    """Comparable: networks come back as whole addresses, protocols in any order."""
    if isinstance(value, str):
        return value.rsplit("/", 1)[-1]
    if isinstance(value, list):
        return sorted(str(sorted(each.items())) if isinstance(each, dict) else str(each) for each in value)
    return value
