"""Doors: whom a machine is to reach over its network, so that one that is cut off is known by it.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import AddressValueError, IPv4Address

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.etcd import PEER_PORT
from kubo_sdk.nodes.probe_script import ENDPOINT, PEER
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.ingress import Endpoint

# Reaching one of so many is enough.
MOST = 4


def doors_for(
    spec: ClusterSpec, instance: Instance, vms: Mapping[str, Vm], endpoint: Endpoint | None, *, trusted: bool
) -> tuple[str, ...]:
    """For `probe_command`: the other members for etcd, the masters for a proxy, the API's endpoint for all others.

    Masters and members are asked over the network anyway.  So one that was well when it was asked last (*trusted*) need
    not knock, of which etcd writes a warning into its log.
    """
    if trusted and instance.role in (Role.ETCD, Role.MASTER):
        return ()
    if instance.role is Role.ETCD:
        return _peers((each for each in spec.instances(Role.ETCD) if each != instance), vms, PEER_PORT)
    # A name would have to be looked up first, which a machine that is cut off waits for.
    if instance.role is not Role.PROXY and endpoint is not None and _is_address(endpoint.host):
        return (f"{ENDPOINT}={endpoint.host}:{endpoint.port}",)
    masters = (each for each in spec.instances(Role.MASTER) if each != instance)
    return _peers(masters, vms, spec.kubernetes.api_port)


def _peers(instances: Iterable[Instance], vms: Mapping[str, Vm], port: int) -> tuple[str, ...]:
    there = (vms[each.id].address for each in instances if each.id in vms)
    return tuple(f"{PEER}={address}:{port}" for address in there if _is_address(address))[:MOST]


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
