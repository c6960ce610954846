"""Publishes the names of the instances and of the API where the DNS provider has a server."""

from __future__ import annotations

from ipaddress import ip_address

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.endpoints import API


def wished_records(spec: ClusterSpec, vms: dict[str, Vm], endpoints: dict[str, Endpoint]) -> tuple[Record, ...]:
    """One record for every instance and one for the API.  Pure."""
    records = [
        _record(spec.hostname(instance), vms[instance.id].address)
        for instance in spec.instances()
        if instance.id in vms and vms[instance.id].address
    ]
    api = endpoints.get(API)
    if api is not None:
        records.append(_record(f"api.{spec.domain}", api.host))
    return tuple(records)


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
    for record in wished_records(context.spec, context.state.vms, context.state.endpoints):
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
