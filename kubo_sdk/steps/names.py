"""Publishes the names of the instances and of the API where the DNS provider has a server."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import ip_address

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.endpoints import API


def wished_records(
    spec: ClusterSpec, vms: dict[str, Vm], endpoints: dict[str, Endpoint], reverse_zones: tuple[str, ...] = ()
) -> tuple[Record, ...]:
    """One record for every instance, one for the API, and the way back from addresses in *reverse_zones*.  Pure."""
    records = [
        _record(spec.hostname(instance), vms[instance.id].address)
        for instance in spec.instances()
        if instance.id in vms and vms[instance.id].address
    ]
    records += [pointer for record in records for pointer in _pointers(record, reverse_zones)]
    api = endpoints.get(API)
    if api is not None:
        records.append(_record(f"api.{spec.domain}", api.host))
    return tuple(records)


def stale_names(spec: ClusterSpec, published: Collection[Record], wished: Collection[Record]) -> tuple[str, ...]:
    """The names of *published* records that belong to no instance of the spec.  Pure.

    An instance whose machine is away keeps its record, and the way back to it until its address is another one.
    """
    hosts = {spec.hostname(instance) for instance in spec.instances()}
    names = {record.name for record in wished}
    away = hosts - names
    kept = {f"api.{spec.domain}", *hosts, *names}
    kept |= {record.name for record in published if record.type == "PTR" and away.issuperset(record.values)}
    return tuple(sorted({record.name for record in published} - kept))


def _pointers(record: Record, reverse_zones: tuple[str, ...]) -> Iterator[Record]:
    for value in record.values if record.type in {"A", "AAAA"} else ():
        name = ip_address(value).reverse_pointer
        if any(name.endswith(f".{zone.lower()}") for zone in reverse_zones):
            yield Record(name=name, type="PTR", values=(record.name,))


def _record(name: str, host: str) -> Record:
    """*host*, an address or a name, under *name*."""
    try:
        kind = "A" if ip_address(host).version == 4 else "AAAA"
    except ValueError:
        return Record(name=name, type="CNAME", values=(host.removesuffix("."),))
    return Record(name=name, type=kind, values=(host,))


def publish_names(context: StepContext, _step: Step) -> None:
    dns = context.providers.dns
    present = set(dns.list_records())
    zones = dns.info().reverse_zones
    for record in wished_records(context.spec, context.state.vms, context.state.endpoints, zones):
        if record not in present:
            for old in present:
                if old.name.lower() == record.name.lower() and old.type != record.type:
                    dns.delete_record(old.name, old.type)  # an alias stands beside nothing
            dns.put_record(record)


def delete_names(context: StepContext, step: Step) -> None:
    """Delete the records of the names that ``details`` lists."""
    for record in context.providers.dns.list_records():
        if record.name in step.details:
            context.providers.dns.delete_record(record.name, record.type)
