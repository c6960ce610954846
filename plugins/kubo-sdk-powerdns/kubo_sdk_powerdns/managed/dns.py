"""ManagedPowerdns: the DNS provider whose server runs in the cluster's own machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from ipaddress import IPv4Address

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns, DnsInfo, Record
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor
from kubo_sdk_powerdns.managed.machine_files import machine_files
from kubo_sdk_powerdns.managed.server_files import server_files


class ManagedPowerdns:
    """Everything it does it does with files and units, so no director needs a way to the server.

    ``group``: whose machines answer; empty for the proxies.  ``forward``: resolvers for names outside the cluster.
    ``role``: what the machines that answer are.
    """

    def __init__(
        self,
        group: str,
        forward: Iterable[IPv4Address],
        build_agent: Callable[[], bytes],
        role: Role = Role.PROXY,
    ) -> None:
        self.group = group
        self._role = role
        self.forward = tuple(forward)
        self._build_agent = build_agent

    def info(self) -> DnsInfo:
        return DnsInfo(publishes=False, on_machines=True)

    def list_records(self) -> tuple[Record, ...]:
        return ()

    def put_record(self, record: Record) -> None:
        """Names reach the server with its machine's files."""

    def delete_record(self, name: str, type: str) -> None:
        """Names leave the server with its machine's files."""

    def node_packages(self, role: Role) -> tuple[str, ...]:
        if role is not self._role:
            return ()
        return ("pdns-backend-sqlite3", "pdns-server", "python3", *(("pdns-recursor",) if self.forward else ()))

    def node_files(self, context: NodeContext) -> Contribution:
        """The resolvers of every machine; and the server, where that runs."""
        servers = server_instances(context.spec, self.group)
        found = machine_files(context, servers)
        if any(server.id == context.instance.id for server in servers):
            found += server_files(context, servers, self.forward, self._agent)
        return found

    @cached_property
    def _agent(self) -> bytes:
        return self._build_agent()


def server_instances(spec: ClusterSpec, group: str) -> tuple[Instance, ...]:
    """The instances of *group*, or of every group of proxies where that is empty."""
    if not group:
        return spec.instances(Role.PROXY)
    return tuple(instance for instance in spec.instances() if instance.group == group)


_: tuple[type[Dns], type[NodeContributor]] = (ManagedPowerdns, ManagedPowerdns)
