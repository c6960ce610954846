"""Provider records: what a plugin's hooks hand over.  The core picks one by its name and calls ``connect`` once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from attrs import frozen

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cluster_dns import ClusterDns, ClusterDnsInfo
from kubo_sdk.ports.cpi import Cpi, CpiInfo
from kubo_sdk.ports.credentials import CredentialStore, CredentialStoreInfo
from kubo_sdk.ports.dns import Dns, DnsInfo
from kubo_sdk.ports.ingress import Ingress, IngressInfo
from kubo_sdk.ports.overlay import Overlay, OverlayInfo

# The versions of the ports' contracts that this core talks to.
CONTRACTS = (1,)

P = TypeVar("P")


@frozen(kw_only=True)
class ConnectContext:
    """What ``connect`` gets beside its own config.

    ``state_dir`` is the SDK's directory on this host, owner-only; ``cache_dir`` holds what can be made again;
    ``base_dir`` is where relative paths of the spec start: the directory of the spec file.
    ``credential_store``: the one of the spec, connected before all others, for the keys a provider makes for a cluster
    (below ``spec.id.credential(...)``, so that they are backed up, moved and deleted with the others).  None for the
    store itself, and where a provider is used without a cluster.
    """

    spec: ClusterSpec
    state_dir: Path
    cache_dir: Path
    base_dir: Path
    credential_store: CredentialStore | None = None


@frozen(kw_only=True)
class Provider(Generic[P]):
    """One named way to fill a port.

    ``config`` is an attrs class; the core builds it from the spec's options and reports every wrong key at once.
    ``connect`` is called once, late: the only place with heavy imports and sockets.
    ``contract`` is the version of the port's contract that it keeps.
    ``capabilities`` is all that ``info()`` of a connected object may claim, whatever its options are: words of
    `known_capabilities`.  They can be read before anything is connected.
    """

    info_type: ClassVar[type[Any]] = object
    known_capabilities: ClassVar[tuple[str, ...]] = ()

    name: str
    summary: str
    config: type[Any]
    connect: Callable[[Any, ConnectContext], P]
    contract: int = 1
    capabilities: tuple[str, ...] = ()

    @classmethod
    def claimed(cls, info: Any) -> frozenset[str]:
        """The capabilities that *info*, a value of ``info_type``, claims."""
        return frozenset(word for word in cls.known_capabilities if getattr(info, word))


class CpiProvider(Provider[Cpi]):
    """Offers machines."""

    info_type = CpiInfo
    known_capabilities = ("disks", "shares_trees", "stock_images", "zones")


class CredentialStoreProvider(Provider[CredentialStore]):
    """Offers a place for secrets.  Its capabilities: the algorithms of the certificates it makes, and ``rotates``."""

    info_type = CredentialStoreInfo
    known_capabilities = ("ecdsa-p256", "ecdsa-p384", "rotates", "rsa-2048", "rsa-3072", "rsa-4096")

    @classmethod
    def claimed(cls, info: CredentialStoreInfo) -> frozenset[str]:
        return frozenset((*info.key_algorithms, *(("rotates",) if info.rotates else ())))


class DnsProvider(Provider[Dns]):
    """Offers names."""

    info_type = DnsInfo
    known_capabilities = ("publishes",)


class OverlayProvider(Provider[Overlay]):
    """Offers a pod network."""

    info_type = OverlayInfo
    known_capabilities = ("etcd", "kubernetes_user", "node_cidrs")

    @classmethod
    def claimed(cls, info: OverlayInfo) -> frozenset[str]:
        claims = {"etcd": info.etcd_prefixes, "kubernetes_user": info.kubernetes_user, "node_cidrs": info.node_cidrs}
        return frozenset(word for word, claim in claims.items() if claim)


class IngressProvider(Provider[Ingress]):
    """Offers stable addresses."""

    info_type = IngressInfo
    known_capabilities = ("kubernetes_user", "runs_on_proxies", "self_registering")


class ClusterDnsProvider(Provider[ClusterDns]):
    """Offers the names inside the cluster."""

    info_type = ClusterDnsInfo
    known_capabilities = ("kubernetes_user",)
