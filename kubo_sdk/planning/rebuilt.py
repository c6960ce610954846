"""The spec of a cluster, worked out from what is left of it: tags, disks, the flags of its units, a certificate.  Pure.

Some things no machine tells: sizes of machines that are not limited, options of providers, how it is watched.  Those
are left at their defaults, and the first plan shows where they matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from kubo_sdk.model.instance import ClusterId, Role
from kubo_sdk.planning.observation import role_of
from kubo_sdk.ports.cpi import Disk, Vm

_FLAG = re.compile(r"--([a-z-]+)=([^\s\"]+)")
_RELEASE = re.compile(r"/opt/kubo/releases/(?P<version>\d+\.\d+\.\d+)-(?P<source>[a-z]+)-")
_ORDER = tuple(Role)


@frozen(kw_only=True)
class Remains:
    """What was found.  ``units``: the texts of units, by component; ``hostnames``: of an API server's certificate."""

    vms: Sequence[Vm]
    disks: Sequence[Disk] = ()
    units: Mapping[str, str] = {}
    hostnames: Sequence[str] = ()


def rebuilt_spec(cluster: ClusterId, remains: Remains) -> dict[str, Any]:
    """A mapping that `kubo_sdk.config.from_mapping` reads."""
    found: dict[str, Any] = {"name": cluster.name, "director": cluster.director}
    found["kubernetes"] = _kubernetes(remains)
    found["instance_groups"] = _groups(remains)
    network = _network(remains.units)
    if network:
        found["network"] = network
    zone = _zone(cluster, remains.hostnames)
    return found | ({"zone": zone} if zone else {})


def _kubernetes(remains: Remains) -> dict[str, Any]:
    apiserver, kubelet = (remains.units.get(name, "") for name in ("kube-apiserver", "kubelet"))
    running = _RELEASE.search(apiserver) or _RELEASE.search(kubelet)
    tagged = sorted(version for vm in remains.vms for key, version in vm.tags if key == "kubernetes")
    found: dict[str, Any] = {"version": running["version"] if running else tagged[-1] if tagged else ""}
    if running and running["source"] in ("debian", "upstream"):
        found["source"] = running["source"]
    flags = _flags(apiserver)
    if "secure-port" in flags:
        found["api_port"] = int(flags["secure-port"])
    if kubelet and any(_flags(kubelet).get("hostname-override") == vm.instance.replace("/", "-") for vm in remains.vms):
        found["node_names"] = "instance"
    return found


def _network(units: Mapping[str, str]) -> dict[str, Any]:
    servers, controllers = _flags(units.get("kube-apiserver", "")), _flags(units.get("kube-controller-manager", ""))
    found = {
        "services": servers.get("service-cluster-ip-range"),
        "node_ports": servers.get("service-node-port-range"),
        "pods": controllers.get("cluster-cidr"),
    }
    return {key: value for key, value in found.items() if value}


def _groups(remains: Remains) -> list[dict[str, Any]]:
    by_group: dict[str, list[Vm]] = {}
    for vm in remains.vms:
        by_group.setdefault(vm.instance.rpartition("/")[0], []).append(vm)
    disks: dict[str, int] = {}
    for disk in remains.disks:
        group = disk.instance.rpartition("/")[0]
        disks[group] = max(disk.size_mb, disks.get(group, 0))
    roles = {group: role_of(vms[0]) for group, vms in by_group.items()}
    names = sorted(by_group, key=lambda name: (_ORDER.index(roles[name] or Role.WORKER), name))
    return [_group(name, str(roles[name] or name), by_group[name], disks.get(name, 0)) for name in names]


def _group(name: str, role: str, vms: Iterable[Vm], disk_mb: int) -> dict[str, Any]:
    zones = {int(vm.instance.rpartition("/")[2]): vm.az for vm in vms}
    count = max(zones) + 1
    found: dict[str, Any] = {"name": name, "role": role, "instances": count, "azs": _azs(zones, count)}
    return found | ({"persistent_disk_mb": disk_mb} if disk_mb else {})


def _azs(zones: Mapping[int, str], count: int) -> list[str]:
    """The shortest round of zones that puts every instance where it is."""
    for length in range(1, count + 1):
        rounds: dict[int, str] = {}
        if all(rounds.setdefault(index % length, az) == az for index, az in zones.items()):
            known = next(iter(zones.values()))
            return [rounds.get(place, known) for place in range(length)]
    return list(zones.values())


def _zone(cluster: ClusterId, hostnames: Sequence[str]) -> str:
    start = f"api.{cluster.name}."
    return next((name.removeprefix(start) for name in hostnames if name.startswith(start)), "")


def _flags(text: str) -> dict[str, str]:
    return {found[1]: found[2] for found in _FLAG.finditer(text)}
