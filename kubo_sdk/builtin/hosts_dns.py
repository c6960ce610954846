"""HostsDns: the names of a cluster as an /etc/hosts file on each of its machines.  No server, no records."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from attrs import field, frozen

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns, DnsInfo, Record
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor, NodeFile

HOSTS = "/etc/hosts"

HEAD = """\
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
"""

# A plan renders every machine twice while an address is unknown.
KEPT = 2


@frozen(kw_only=True)
class _Written:
    """The content of the file, and what it was made from."""

    spec: ClusterSpec
    addresses: Mapping[str, str]
    api: str
    content: str = field(repr=False)

    def fits(self, context: NodeContext) -> bool:
        same = self.spec is context.spec and self.api == context.api.host
        return same and self.addresses == context.addresses


class HostsDns:
    """Every machine gets every name, so a new machine changes the file of all others.

    The file is the same on all of them, and as long as there are machines: it is written once for all.
    """

    def __init__(self) -> None:
        self._written: tuple[_Written, ...] = ()

    def info(self) -> DnsInfo:
        return DnsInfo(publishes=False)

    def list_records(self) -> tuple[Record, ...]:
        return ()

    def put_record(self, record: Record) -> None:
        """Names reach the machines with their files."""

    def delete_record(self, name: str, type: str) -> None:
        """Names leave the machines with their files."""

    def node_files(self, context: NodeContext) -> Contribution:
        """``worker-0`` and ``worker-0.<cluster>.<zone>`` for each instance, and ``api.<cluster>.<zone>``."""
        return Contribution(files=(NodeFile(path=HOSTS, content=self._content(context)),))

    def _content(self, context: NodeContext) -> str:
        for written in self._written:
            if written.fits(context):
                return written.content
        content = HEAD + "".join(_lines(context))
        addresses = dict(context.addresses)
        new = _Written(spec=context.spec, addresses=addresses, api=context.api.host, content=content)
        self._written = (new, *self._written[: KEPT - 1])
        return content


_: tuple[type[Dns], type[NodeContributor]] = (HostsDns, HostsDns)


def _lines(context: NodeContext) -> list[str]:
    domain = context.spec.domain
    lines = [
        f"{context.addresses[instance.id]} {instance.slug}.{domain} {instance.slug}\n"
        for instance in context.spec.instances()
        if context.addresses.get(instance.id)
    ]
    if _is_address(context.api.host):
        lines.append(f"{context.api.host} api.{domain}\n")
    return lines


def _is_address(host: str) -> bool:
    """An API behind a load balancer may have a name only, which its own DNS must answer."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
