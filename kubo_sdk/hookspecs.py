"""The eight hooks.  Hooks offer, objects act: a hook hands over named provider records, and the cluster talks to the
one its spec names.

A plugin module puts `kubo_sdk.hookimpl` on functions of these names and registers itself under the entry point group
``kubo_sdk``.  An implementation may take fewer arguments than the spec, so a hook can gain one without harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy
from attrs import frozen

if TYPE_CHECKING:
    from kubo_sdk.events import Event
    from kubo_sdk.model.spec import ClusterSpec
    from kubo_sdk.planning.plan import Plan
    from kubo_sdk.ports.providers import (
        ClusterDnsProvider,
        CpiProvider,
        CredentialStoreProvider,
        DnsProvider,
        IngressProvider,
        OverlayProvider,
    )

PROJECT = "kubo_sdk"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@frozen(kw_only=True)
class Objection:
    """A plugin's reason why a plan must not run.  One sentence."""

    reason: str


@hookspec
def kubo_cpi_providers() -> Iterable[CpiProvider]:  # type: ignore[empty-body]
    """Offer CPIs."""


@hookspec
def kubo_credential_store_providers() -> Iterable[CredentialStoreProvider]:  # type: ignore[empty-body]
    """Offer credential stores."""


@hookspec
def kubo_dns_providers() -> Iterable[DnsProvider]:  # type: ignore[empty-body]
    """Offer DNS providers."""


@hookspec
def kubo_overlay_providers() -> Iterable[OverlayProvider]:  # type: ignore[empty-body]
    """Offer overlay networks."""


@hookspec
def kubo_ingress_providers() -> Iterable[IngressProvider]:  # type: ignore[empty-body]
    """Offer ingress providers."""


@hookspec
def kubo_cluster_dns_providers() -> Iterable[ClusterDnsProvider]:  # type: ignore[empty-body]
    """Offer cluster DNS: the names inside the cluster."""


@hookspec
def kubo_review_plan(plan: Plan, spec: ClusterSpec) -> Iterable[Objection]:  # type: ignore[empty-body]
    """Object to a plan before anything happens.  A plan with objections is refused."""


@hookspec
def kubo_on_event(event: Event) -> None:
    """Observe.  What an observer raises is logged and changes nothing."""
