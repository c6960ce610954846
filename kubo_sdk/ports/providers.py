"""Provider records: what a plugin's hooks hand over.  The core picks one by its name and calls ``connect`` once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from attrs import frozen

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cpi import Cpi
from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.ports.overlay import Overlay

P = TypeVar("P")


@frozen(kw_only=True)
class ConnectContext:
    """What ``connect`` gets beside its own config.

    ``state_dir`` is the SDK's directory on this host, owner-only; ``cache_dir`` holds what can be made again;
    ``base_dir`` is where relative paths of the spec start: the directory of the spec file.
    """

    spec: ClusterSpec
    state_dir: Path
    cache_dir: Path
    base_dir: Path


@frozen(kw_only=True)
class Provider(Generic[P]):
    """One named way to fill a port.

    ``config`` is an attrs class; the core builds it from the spec's options and reports every wrong key at once.
    ``connect`` is called once, late: the only place with heavy imports and sockets.
    """

    name: str
    summary: str
    config: type[Any]
    connect: Callable[[Any, ConnectContext], P]


class CpiProvider(Provider[Cpi]):
    """Offers machines."""


class CredentialStoreProvider(Provider[CredentialStore]):
    """Offers a place for secrets."""


class DnsProvider(Provider[Dns]):
    """Offers names."""


class OverlayProvider(Provider[Overlay]):
    """Offers a pod network."""


class IngressProvider(Provider[Ingress]):
    """Offers stable addresses."""
