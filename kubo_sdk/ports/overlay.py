"""Overlay: the one network all workers' pods share.  Its work happens on the nodes (`NodeContributor`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import frozen

from kubo_sdk.ports.access import Etcd


@frozen(kw_only=True)
class OverlayInfo:
    """What the overlay needs of the cluster.

    ``etcd_prefixes``: the keys it keeps in etcd.  The core makes one etcd user with exactly these (credential leaf
    ``etcd-overlay``, a user).  Only etcd machines see that user and a certificate etcd trusts (``etcd-overlay-SLUG``),
    because whoever holds one can get around etcd's rights; workers come to a gate of the overlay's there, whose server
    certificate is ``overlay-gate-SLUG``.  ``kubernetes_user``: the name workers use, towards the API and the gate
    (certificate ``overlay-SLUG`` of the cluster's CA), bound by the `manifests` of the overlay.  ``node_cidrs``: the
    controller manager gives every Node a pod CIDR.
    """

    contract: int = 1
    etcd_prefixes: tuple[str, ...] = ()
    node_cidrs: bool = False
    kubernetes_user: str | None = None


class Overlay(Protocol):
    def info(self) -> OverlayInfo: ...

    def ensure_network(self, etcd: Etcd) -> None:
        """Write the network's configuration where its nodes read it.  Called once etcd answers; may be called again.

        Writes what differs and nothing else, below ``info().etcd_prefixes`` alone.
        """
        ...

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        """Kubernetes objects the overlay needs (RBAC), applied once the API answers.

        Always the same, each with apiVersion, kind and a name of its own; they bind no user but ``kubernetes_user``.
        """
        ...
