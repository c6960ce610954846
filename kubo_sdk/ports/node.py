"""What any provider may contribute to a machine: files and systemd units.

Every port shares this one optional ability, so none needs its own way onto a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.credentials import Credential
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest


class StartAfter(IntEnum):
    """What must answer before a unit is first started.  Later starts (a reboot) are systemd's own business."""

    BOOT = 0
    ETCD = 1
    API = 2


@frozen(kw_only=True)
class NodeFile:
    """One file on a machine.  A Secret content needs a mode that only its owner can read."""

    path: str
    content: str | bytes | Secret = field(repr=False)
    mode: int = 0o644
    owner: str = "root"

    def data(self) -> bytes:
        """The content as bytes."""
        if isinstance(self.content, Secret):
            return self.content.reveal_bytes()
        return self.content.encode() if isinstance(self.content, str) else self.content


@frozen(kw_only=True)
class Unit:
    """One systemd unit.  ``restart_on`` names the files whose change restarts it; a change of its text always does.

    Those files are of the same contribution.
    """

    name: str
    text: str = field(repr=False)
    restart_on: tuple[str, ...] = ()
    start_after: StartAfter = StartAfter.BOOT


@frozen(kw_only=True)
class Contribution:
    files: tuple[NodeFile, ...] = ()
    units: tuple[Unit, ...] = ()

    def __add__(self, other: Contribution) -> Contribution:
        return Contribution(files=self.files + other.files, units=self.units + other.units)


@frozen(kw_only=True)
class NodeContext:
    """All that one instance's files may depend on.

    ``addresses``: the IPv4 address of every instance that has a machine, by id.  ``node_name``: what the instance is
    called as a Node.
    ``credentials``: by leaf name; only those this instance may see.  ``ca``: the certificates (PEM) that prove the API.
    ``named_files``: the contents of the files that the spec's section ``preparation`` names, by path.
    """

    spec: ClusterSpec
    instance: Instance
    address: str
    addresses: Mapping[str, str]
    node_name: str
    provider_id: str
    api: Endpoint
    endpoints: tuple[EndpointRequest, ...]
    release: Release
    ca: str
    credentials: Mapping[str, Credential] = field(repr=False)
    named_files: Mapping[Path, Secret] = field(factory=dict, repr=False)

    def peers(self, role: Role) -> tuple[tuple[Instance, str], ...]:
        """The instances of *role* that have a machine, with their addresses."""
        return tuple(
            (instance, self.addresses[instance.id])
            for instance in self.spec.instances(role)
            if instance.id in self.addresses
        )


@runtime_checkable
class NodeContributor(Protocol):
    """A provider with files or units of its own on machines."""

    def node_files(self, context: NodeContext) -> Contribution:
        """Pure: the same context gives the same contribution, whatever was asked before and whoever connected.

        It fits beside what the core puts on the machine, and holds a secret nowhere but in files whose content is one.
        """
        ...


@runtime_checkable
class PackageContributor(Protocol):
    """A provider whose files need programs that a stock image lacks.  Asked where the core prepares machines."""

    def node_packages(self, role: Role) -> tuple[str, ...]:
        """The names of the packages, as in Debian and Ubuntu, for machines of *role*.  Pure."""
        ...
