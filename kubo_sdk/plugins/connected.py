"""Says in one sentence why what a provider connected to is not what its record promised."""

from __future__ import annotations

from typing import Any

from kubo_sdk.ports.cluster_dns import ClusterDns
from kubo_sdk.ports.cpi import Cpi, DiskCpi
from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.ports.providers import (
    ClusterDnsProvider,
    CpiProvider,
    CredentialStoreProvider,
    DnsProvider,
    IngressProvider,
    OverlayProvider,
    Provider,
)

REPAIR = "repair or reinstall it"

_PROTOCOLS: tuple[tuple[type[Provider[Any]], type], ...] = (
    (CpiProvider, Cpi),
    (CredentialStoreProvider, CredentialStore),
    (DnsProvider, Dns),
    (IngressProvider, Ingress),
    (ClusterDnsProvider, ClusterDns),
    (OverlayProvider, Overlay),
)


def reason_against_connected(record: Provider[Any], connected: object) -> str | None:
    """What is wrong with *connected*, which *record* handed over, and what to do.  None if nothing is.

    Missing methods, an ``info()`` of another type or contract, and capabilities that the record does not name.
    Whether a record names more than this object can do is no fault: that may depend on its options.
    """
    protocol = next(protocol for kind, protocol in _PROTOCOLS if isinstance(record, kind))
    missing = _missing(connected, protocol)
    if missing:
        return f"it connected to a {type(connected).__name__} without {', '.join(missing)}; {REPAIR}"
    info: Any = connected.info()  # type: ignore[attr-defined]
    if not isinstance(info, record.info_type):
        return f"its info() is a {type(info).__name__} where a {record.info_type.__name__} belongs; {REPAIR}"
    if info.contract != record.contract:
        return f"its info() keeps contract {info.contract!r} and its record says {record.contract!r}; {REPAIR}"
    beyond = sorted(record.claimed(info) - set(record.capabilities))
    if beyond:
        words = ", ".join(map(repr, beyond))
        told = f"its info() claims {', '.join(beyond)}, which the capabilities of its record do not name"
        return f"{told}; add {words} to the capabilities, or let info() claim less"
    missing = _missing(connected, DiskCpi) if isinstance(record, CpiProvider) and info.disks else []
    if missing:
        return f"its info() claims disks, and it has no {', '.join(missing)}; {REPAIR}"
    return None


def _missing(connected: object, protocol: type) -> list[str]:
    """The methods of *protocol* that the object lacks."""
    bases = [base for base in protocol.__mro__ if base.__module__.startswith("kubo_sdk.")]
    methods = {name for base in bases for name in vars(base) if not name.startswith("_")}
    return sorted(name for name in methods if not callable(getattr(connected, name, None)))
