"""The security group of a cluster in Neutron: exactly the rules that are wished, nothing beside them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Any

from kubo_sdk.errors import Conflict, NotFound, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.openstack.session import OpenStackSession
from kubo_sdk_libcloud.clouds.packing import mark_of
from kubo_sdk_libcloud.firewall import Group, Rule

_GROUPS = "/v2.0/security-groups"
_RULES = "/v2.0/security-group-rules"

# protocol, first port, last port, network, group
Held = tuple[str, int, int, str, str]


class Groups:
    """The group is found by its name, which holds the cluster's mark."""

    def __init__(self, session: OpenStackSession) -> None:
        self._session = session

    def ensure(self, cluster: ClusterId, rules: Iterable[Rule]) -> str:
        """The id of the cluster's group, made and corrected as needed."""
        group = self._found(cluster) or self._made(cluster)
        wanted = {_held(rule, group["id"]) for rule in rules if _applies(rule)}
        present = {_told(rule): rule["id"] for rule in group["security_group_rules"] if rule["direction"] == "ingress"}
        for held in sorted(wanted - present.keys()):
            self._add(group["id"], held)
        for held in sorted(present.keys() - wanted):
            self._session.remove("network", f"{_RULES}/{present[held]}", f"remove a rule of {group['name']}")
        return str(group["id"])

    def id_of(self, cluster: ClusterId) -> str:
        """NotFound when the cluster was not prepared."""
        group = self._found(cluster)
        if group is None:
            raise NotFound(f"OpenStack: the security group of {cluster} is not there; deploy the cluster again")
        return str(group["id"])

    def remove(self, cluster: ClusterId) -> None:
        """Unavailable while ports of machines that are going still use it."""
        for group in self._all(cluster):
            try:
                self._session.remove("network", f"{_GROUPS}/{group['id']}", f"remove security group {group['name']}")
            except Conflict as error:
                raise Unavailable(str(error), retry_after=2.0) from None

    def _all(self, cluster: ClusterId) -> list[Any]:
        name = name_of(cluster)
        found = self._session.ask("network", "GET", _GROUPS, f"look for security group {name}", name=name)
        return sorted(found["security_groups"], key=lambda group: str(group["id"]))

    def _found(self, cluster: ClusterId) -> Any:
        return next(iter(self._all(cluster)), None)

    def _made(self, cluster: ClusterId) -> Any:
        body = {"security_group": {"name": name_of(cluster), "description": f"kubo_sdk cluster {cluster}"}}
        self._session.ask("network", "POST", _GROUPS, f"make security group {name_of(cluster)}", body)
        # Neutron makes two groups of one name when two processes ask at once: the first by id is the one.
        first, *others = self._all(cluster)
        for other in others:
            self._session.remove("network", f"{_GROUPS}/{other['id']}", f"remove security group {other['name']}")
        return first

    def _add(self, group: str, held: Held) -> None:
        protocol, first, last, network, source = held
        rule = {
            "security_group_id": group,
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": protocol,
            "port_range_min": first,
            "port_range_max": last,
            "remote_ip_prefix": network or None,
            "remote_group_id": source or None,
        }
        try:
            self._session.ask("network", "POST", _RULES, "add a rule", {"security_group_rule": rule})
        except Conflict as error:
            if "exists" not in str(error):
                raise


def name_of(cluster: ClusterId) -> str:
    """Unique by the mark, and told apart by people by its first part."""
    return f"kubo-{cluster.name}-{mark_of(cluster)}"


def _applies(rule: Rule) -> bool:
    """There are no balancers here that would need rules, or come from somewhere."""
    return Group.BALANCERS not in (rule.group, rule.source)


def _held(rule: Rule, group: str) -> Held:
    network = str(rule.source) if isinstance(rule.source, IPv4Network) else ""
    return (rule.protocol, rule.first, rule.last, network, "" if network else group)


def _told(rule: Any) -> Held:
    return (
        str(rule["protocol"] or ""),
        int(rule["port_range_min"] or 0),
        int(rule["port_range_max"] or 0),
        str(rule["remote_ip_prefix"] or ""),
        str(rule["remote_group_id"] or ""),
    )
