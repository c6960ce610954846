"""Elb: classic load balancers of AWS.  libcloud signs and sends the requests; its own driver knows too few of them.

It has no subnets, no health check, no time-outs and no groups, and asks for a path that other servers do not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from libcloud.loadbalancer.drivers.elb import HOST, ELBConnection

from kubo_sdk.errors import NotFound, ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk_libcloud.balancing.balancers import Balancer, Balancers, HealthCheck
from kubo_sdk_libcloud.balancing.config import ElbConfig
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.ec2.driver import REQUEST_SECONDS, Response
from kubo_sdk_libcloud.clouds.ec2.faults import asking
from kubo_sdk_libcloud.clouds.ec2.groups import Groups
from kubo_sdk_libcloud.clouds.ec2.patience import patiently
from kubo_sdk_libcloud.firewall import Group

Params = Mapping[str, str]
# The access key, its secret, and the session's token.
Keys = tuple[Secret, Secret, Secret | None]

_THERE = "DuplicateLoadBalancerName"


class Connection(ELBConnection):  # type: ignore[misc]
    """Posts what libcloud would put into the address, to a path that every server of this API has."""

    responseCls = Response  # noqa: N815 - libcloud's name

    def request(self, action: str, params: Mapping[str, Any] | None = None, **_options: Any) -> Any:
        body = urlencode({"Action": action, "Version": self.version, **(params or {})})
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return super().request("/", params={}, data=body, headers=headers, method="POST")


class Elb:
    """Balancers of one region.  Their security group is one of *groups*, which the CPI makes."""

    def __init__(
        self,
        connections: PerThread[Connection],
        groups: Groups,
        config: ElbConfig,
    ) -> None:
        self._connections = connections
        self.groups = groups
        self._region = config.region
        self._where = {"Subnets": config.subnets, "AvailabilityZones": config.zones}
        self._internal = config.internal

    def find(self, name: str) -> Balancer | None:
        try:
            told = self._ask("DescribeLoadBalancers", name, _listed("LoadBalancerNames", [name]))
            tags = self._ask("DescribeTags", name, _listed("LoadBalancerNames", [name]))
        except NotFound:
            return None
        found = told.find(".//LoadBalancerDescriptions/member")
        return None if found is None else _balancer(found, tags)

    def create(self, cluster: ClusterId, name: str, ports: frozenset[int], tags: Mapping[str, str]) -> None:
        """Make it, with a listener for each port.  One that is there, made by another thread or process, stays."""
        params = {
            "LoadBalancerName": name,
            **_listeners(ports),
            **_pairs("Tags", tags),
            **_listed("SecurityGroups", [self.groups.id(cluster, Group.BALANCERS)]),
            **({"Scheme": "internal"} if self._internal else {}),
        }
        for word, values in self._where.items():
            params |= _listed(word, values)
        try:
            self._ask("CreateLoadBalancer", name, params)
        except ProviderError as error:
            if _THERE not in str(error):
                raise

    def set_ports(self, name: str, *, add: frozenset[int], remove: frozenset[int]) -> None:
        if add:
            self._ask("CreateLoadBalancerListeners", name, {"LoadBalancerName": name, **_listeners(add)})
        if remove:
            ports = _listed("LoadBalancerPorts", map(str, sorted(remove)))
            self._ask("DeleteLoadBalancerListeners", name, {"LoadBalancerName": name, **ports})

    def set_members(self, name: str, *, add: frozenset[str], remove: frozenset[str]) -> None:
        for action, ids in (("RegisterInstancesWith", add), ("DeregisterInstancesFrom", remove)):
            if ids:
                members = {f"Instances.member.{place}.InstanceId": each for place, each in enumerate(sorted(ids), 1)}
                self._ask(f"{action}LoadBalancer", name, {"LoadBalancerName": name, **members})

    def set_check(self, name: str, check: HealthCheck) -> None:
        params = {
            "LoadBalancerName": name,
            "HealthCheck.Target": check.target,
            "HealthCheck.Interval": str(check.seconds),
            "HealthCheck.Timeout": str(check.timeout),
            "HealthCheck.UnhealthyThreshold": str(check.failures),
            "HealthCheck.HealthyThreshold": "2",
        }
        self._ask("ConfigureHealthCheck", name, params)

    def set_idle_timeout(self, name: str, seconds: int) -> None:
        attributes = "LoadBalancerAttributes"
        params = {
            "LoadBalancerName": name,
            f"{attributes}.ConnectionSettings.IdleTimeout": str(seconds),
            f"{attributes}.CrossZoneLoadBalancing.Enabled": "true",
        }
        self._ask("ModifyLoadBalancerAttributes", name, params)

    def idle_timeout(self, name: str) -> int:
        """Seconds after which a silent connection is cut."""
        told = self._ask("DescribeLoadBalancerAttributes", name, {"LoadBalancerName": name})
        return int(told.findtext(".//ConnectionSettings/IdleTimeout") or 0)

    def delete(self, name: str) -> None:
        self._ask("DeleteLoadBalancer", name, {"LoadBalancerName": name})

    def _ask(self, action: str, name: str, params: Params) -> Element:
        """A question is asked again when it is turned down; a change is not, for the step that wants it comes back."""
        if action.startswith("Describe"):
            return patiently(lambda: self._once(action, name, params), f"{action} {name}")
        return self._once(action, name, params)

    def _once(self, action: str, name: str, params: Params) -> Element:
        with asking(f"ELB in {self._region}: {action} {name}"):
            found: Element = self._connections.get().request(action, params).object
            return found


_: type[Balancers] = Elb


def connection(config: ElbConfig, keys: Keys, transport: type[Any]) -> Connection:
    """A connection of the calling thread's own."""
    access, secret, token = (key.reveal() if key is not None else None for key in keys)
    made = Connection(
        access,
        secret,
        token=token,
        secure=config.secure,
        host=config.host or HOST % config.region,
        port=config.port or (443 if config.secure else 80),
        timeout=REQUEST_SECONDS,
        signature_version="4",
    )
    made.conn_class = transport
    made.driver = _Region(config.region)
    made.connect()
    return made


class _Region:
    """What a connection asks its driver for: the region it signs requests for, and a name for user agents."""

    name = "kubo_sdk"

    def __init__(self, region: str) -> None:
        self.region_name = region


def _balancer(found: Element, tags: Element) -> Balancer:
    listeners = found.findall("ListenerDescriptions/member/Listener/LoadBalancerPort")
    check = found.find("HealthCheck")
    return Balancer(
        name=_text(found, "LoadBalancerName"),
        host=_text(found, "DNSName"),
        ports=frozenset(int(each.text or 0) for each in listeners),
        members=frozenset(each.text or "" for each in found.findall("Instances/member/InstanceId")),
        check=_check(check) if check is not None and _text(check, "Target") else None,
        tags={_text(tag, "Key"): _text(tag, "Value") for tag in tags.findall(".//Tags/member")},
    )


def _check(found: Element) -> HealthCheck:
    return HealthCheck(
        target=_text(found, "Target"),
        seconds=int(_text(found, "Interval") or 0),
        timeout=int(_text(found, "Timeout") or 0),
        failures=int(_text(found, "UnhealthyThreshold") or 0),
    )


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _listed(word: str, values: Iterable[str]) -> dict[str, str]:
    return {f"{word}.member.{place}": value for place, value in enumerate(values, 1)}


def _pairs(word: str, values: Mapping[str, str]) -> dict[str, str]:
    pairs = enumerate(sorted(values.items()), 1)
    return {
        f"{word}.member.{place}.{part}": text
        for place, pair in pairs
        for part, text in zip(("Key", "Value"), pair, strict=True)
    }


def _listeners(ports: frozenset[int]) -> dict[str, str]:
    wished: dict[str, Any] = {}
    for place, port in enumerate(sorted(ports), 1):
        parts = {"Protocol": "TCP", "LoadBalancerPort": str(port), "InstanceProtocol": "TCP", "InstancePort": str(port)}
        wished |= {f"Listeners.member.{place}.{part}": text for part, text in parts.items()}
    return wished
