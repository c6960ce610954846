"""VsphereConfig: the section ``vsphere`` of the options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen, validators

from kubo_sdk.secret_source import SecretSource

_PATH = validators.matches_re(r"/[^/]+(/[^/]+)+")


@frozen(kw_only=True)
class VsphereZone:
    """A zone of the spec: the inventory paths of its resource pool, datastore and network.

    Like ``/Paris/host/Cluster/Resources``, ``/Paris/datastore/ssd`` and ``/Paris/network/kubo``.  Without a network a
    machine keeps the one of the template.
    """

    pool: str = field(validator=_PATH)
    datastore: str = field(validator=_PATH)
    network: str = field(default="", validator=validators.or_(validators.in_(("",)), _PATH))


@frozen(kw_only=True)
class VsphereConfig:
    """Where machines are made, and from what.

    ``host``: the vCenter.  ``template``: the inventory path of a virtual machine or template made of a Debian or Ubuntu
    image with cloud-init and open-vm-tools, like ``/Paris/vm/debian-12``.  ``folder``: the path of the folder that
    machines are in; it must be there.  ``zones``: what the zones of the spec are.  ``ca_file``: the authorities of
    vCenter's certificate, or that certificate itself.  ``task_timeout``: seconds for a clone.
    """

    host: str = field(validator=validators.min_len(1))
    username: str = field(validator=validators.min_len(1))
    password: SecretSource
    template: str = field(validator=_PATH)
    folder: str = field(validator=_PATH)
    zones: Mapping[str, VsphereZone] = field(hash=False, validator=validators.min_len(1))
    port: int = 443
    ca_file: Path | None = None
    task_timeout: float = field(default=1800.0, validator=validators.gt(0))
