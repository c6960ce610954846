"""PublishedDns: the DNS port over a server that is there already."""

from __future__ import annotations

from kubo_sdk.errors import ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.dns import RECORD_TYPES, Dns, DnsInfo, Record
from kubo_sdk_powerdns.ownership import mark, owned
from kubo_sdk_powerdns.record_set import RecordSet, absolute, record, record_set
from kubo_sdk_powerdns.serving import NotServed, Serving
from kubo_sdk_powerdns.transport import Transport


class PublishedDns:
    """Records of one cluster in the spec's zone and in reverse zones; ``zones`` begins with the former."""

    def __init__(self, transport: Transport, serving: Serving, owner: ClusterId, zones: tuple[str, ...]) -> None:
        self._transport = transport
        self._serving = serving
        self._owner = owner
        self._zones = tuple(absolute(zone) for zone in zones)

    def info(self) -> DnsInfo:
        return DnsInfo(publishes=True, reverse_zones=tuple(zone.rstrip(".") for zone in self._zones[1:]))

    def list_records(self) -> tuple[Record, ...]:
        found = (each for zone in self._zones for each in owned(self._transport.read_zone(zone), self._owner))
        told = (record(each) for each in found if each.served)
        return tuple(sorted(each for each in told if each is not None))

    def put_record(self, record: Record) -> None:
        """Write it, and wait until every name server answers with it."""
        wished = record_set(record)
        zone = self._zone_of(wished.name)
        if zone is None:
            zones = " and ".join(name.rstrip(".") for name in self._zones)
            raise ProviderError(f"{record.type} {record.name} is outside of {zones}; choose a name within")
        ours = mark(wished.name, wished.type, self._owner)
        was_ours = self._transport.put(zone, wished, ours)
        try:
            self._serving.wait(wished, lambda: self._superseded(zone, wished))
        except NotServed:
            # Nobody sees it, and what stays would be taken for published by the next plan.
            if not was_ours:
                self._transport.delete(zone, wished.name, wished.type, ours)
            raise

    def delete_record(self, name: str, type: str) -> None:
        name = absolute(name)
        zone = self._zone_of(name)
        if zone is not None and type in RECORD_TYPES:
            self._transport.delete(zone, name, type, mark(name, type, self._owner))

    def _zone_of(self, name: str) -> str | None:
        """The longest of our zones that holds *name*."""
        holding = (zone for zone in self._zones if name == zone or name.endswith(f".{zone}"))
        return max(holding, key=len, default=None)

    def _superseded(self, zone: str, wished: RecordSet) -> bool:
        """Whether another process of this cluster wrote something else in the meantime, which is then what counts."""
        there = {(each.name, each.type): each for each in self._transport.read_zone(zone)}
        found = there.get((wished.name, wished.type))
        return found is None or (found.ttl, found.contents) != (wished.ttl, wished.contents)


_: type[Dns] = PublishedDns
