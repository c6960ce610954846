"""Catalog: every name there is, kept up with each change, and which names a change is about."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address

from kubo_sdk_powerdns.cluster.agent.objects import Service, Slice
from kubo_sdk_powerdns.cluster.agent.records import Records, records_of

Record = tuple[str, str]

SCHEMA_VERSION = "1.1.0"
# A name with names below it that has no record itself is there all the same: the answer is empty, not "no such name".
EMPTY: tuple[Record, ...] = (("", ""),)
# Owns what is there without any Service; a Service has a slash in its key.
APEX = "apex"

_POD = re.compile(r"(\d+-\d+-\d+-\d+)\.[^.]+\.pod")


class Catalog:
    """*zones* are the cluster's domain, first, and the reverse zones; *address* is where pods ask.

    One thread at a time changes it, which `lock` is for; any may look names up meanwhile.
    """

    def __init__(self, zones: Collection[str], address: str) -> None:
        self.zones = tuple(zones)
        self.lock = threading.Lock()
        self.services: dict[str, Service] = {}
        self._slices: dict[str, dict[str, Slice]] = {}
        self._homes: dict[str, str] = {}
        self._owned: dict[str, Records] = {}
        self._owners: dict[str, tuple[str, ...]] = {}
        self._below: dict[str, int] = {}
        self._own(APEX, _apex(self.zones, address))

    def slices(self) -> list[Slice]:
        """Every slice that belongs to a Service, whether that is known or not."""
        return [each for slices in self._slices.values() for each in slices.values()]

    # -- looking up

    def lookup(self, name: str) -> tuple[Record, ...]:
        """The records of *name* (small letters, no dot at the end), `EMPTY`, or nothing where there is no such name."""
        owners = self._owners.get(name)
        if owners:
            found = [record for owner in owners for record in self._owned.get(owner, {}).get(name, ())]
            return tuple(dict.fromkeys(found)) if len(owners) > 1 else tuple(found)
        if name in self._below:
            return EMPTY
        return self._pod(name)

    def _pod(self, name: str) -> tuple[Record, ...]:
        """``10-200-1-7.NAMESPACE.pod.ZONE`` is 10.200.1.7, whether there is such a pod or not: so it is specified."""
        zone = self.zones[0]
        inside = name.removesuffix(f".{zone}")
        if inside == name or not (inside == "pod" or inside.endswith(".pod")):
            return ()
        match = _POD.fullmatch(inside)
        if match:
            try:
                return (("A", str(IPv4Address(match[1].replace("-", ".")))),)
            except ValueError:
                return ()
        return EMPTY if inside.count(".") <= 1 else ()

    # -- changing; each returns the names whose answers are different now

    def put_service(self, service: Service) -> set[str]:
        self.services[service.key] = service
        return self._refresh(service.key)

    def drop_service(self, key: str) -> set[str]:
        self.services.pop(key, None)
        return self._refresh(key)

    def put_slice(self, found: Slice) -> set[str]:
        before = self._forget_slice(found.key)
        if found.service:
            self._slices.setdefault(found.service, {})[found.key] = found
            self._homes[found.key] = found.service
        return self._refresh_all({before, found.service})

    def drop_slice(self, key: str) -> set[str]:
        return self._refresh_all({self._forget_slice(key)})

    def replace_services(self, services: Iterable[Service]) -> set[str]:
        """These and no others."""
        fresh = {service.key: service for service in services}
        touched = {key for key in {*fresh, *self.services} if fresh.get(key) != self.services.get(key)}
        self.services = fresh
        return self._refresh_all(touched)

    def replace_slices(self, slices: Iterable[Slice]) -> set[str]:
        """These and no others."""
        before, self._slices, self._homes = self._slices, {}, {}
        for each in slices:
            if each.service:
                self._slices.setdefault(each.service, {})[each.key] = each
                self._homes[each.key] = each.service
        return self._refresh_all(key for key in {*before, *self._slices} if before.get(key) != self._slices.get(key))

    def _forget_slice(self, key: str) -> str:
        """Returns the Service it was of."""
        home = self._homes.pop(key, "")
        slices = self._slices.get(home, {})
        slices.pop(key, None)
        if home and not slices:
            self._slices.pop(home, None)
        return home

    def _refresh_all(self, keys: Iterable[str]) -> set[str]:
        changed: set[str] = set()
        for key in keys:
            if key:
                changed |= self._refresh(key)
        return changed

    def _refresh(self, key: str) -> set[str]:
        service = self.services.get(key)
        slices = self._slices.get(key, {}).values() if service and service.headless else ()
        return self._own(key, records_of(service, slices, self.zones[0]) if service else {})

    def _own(self, owner: str, records: Records) -> set[str]:
        """Let *owner* stand for *records* and nothing else."""
        before = self._owned.get(owner, {})
        changed = {name for name in {*before, *records} if before.get(name) != records.get(name)}
        if not changed:
            return changed
        self._owned[owner] = records
        for name in changed:
            if name not in before:
                self._owners[name] = (*self._owners.get(name, ()), owner)
                changed = changed | self._count(name, 1)
        for name in before.keys() - records.keys():
            left = tuple(each for each in self._owners[name] if each != owner)
            if left:
                self._owners[name] = left
            else:
                del self._owners[name]
            changed = changed | self._count(name, -1)
        if not records:
            del self._owned[owner]
        return changed

    def _count(self, name: str, step: int) -> set[str]:
        """Names above *name* come and go with it; returns those that did."""
        changed = set()
        zone = next((zone for zone in self.zones if name.endswith(f".{zone}")), name)
        parent = name
        while len(parent) > len(zone):
            parent = parent.partition(".")[2]
            count = self._below.get(parent, 0) + step
            if count:
                self._below[parent] = count
            else:
                del self._below[parent]
            if count in (0, step):
                changed.add(parent)
        return changed


def _apex(zones: Collection[str], address: str) -> Records:
    """What a zone needs, and the version of the specification."""
    zone, *reverse = zones
    server = f"ns.dns.{zone}"
    # The last number is how long the answer "no such name" may be kept.
    head = (("NS", f"{server}."), ("SOA", f"{server}. hostmaster.{zone}. 1 7200 1800 86400 5"))
    return {
        **dict.fromkeys((zone, *reverse), head),
        server: (("A", address),),
        f"dns-version.{zone}": (("TXT", f'"{SCHEMA_VERSION}"'),),
    }
