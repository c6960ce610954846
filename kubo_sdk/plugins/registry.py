"""Plugins: one registry of providers, observers and reviewers.  Nothing is shared between two of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kubo_sdk.errors import KuboError, PluginError
from kubo_sdk.hookspecs import Objection
from kubo_sdk.plugins.choice import pick
from kubo_sdk.plugins.connected import REPAIR, reason_against_connected
from kubo_sdk.plugins.describe import describe
from kubo_sdk.plugins.discovery import builtin, handed_over, installed, select
from kubo_sdk.plugins.loading import PORTS, BrokenPlugin, Loaded, first_line, load, place_of

if TYPE_CHECKING:
    from kubo_sdk.events import Event
    from kubo_sdk.model.spec import ClusterSpec
    from kubo_sdk.planning.plan import Plan
    from kubo_sdk.ports.providers import (
        ClusterDnsProvider,
        ConnectContext,
        CpiProvider,
        CredentialStoreProvider,
        DnsProvider,
        IngressProvider,
        OverlayProvider,
        Provider,
    )

P = TypeVar("P")

log = logging.getLogger(__name__)


class Plugins:
    """What the plugins offer.  They are imported on first use.

    *plugins* are modules or objects with hooks.  *load_installed* adds what is installed, within *allow* (names of
    plugins or distributions; None takes the environment's ``KUBO_PLUGINS``, or all) and without *deny* and the
    environment's ``KUBO_DISABLE_PLUGINS``.  The built-in providers are always there unless ``builtin`` is denied.
    """

    def __init__(
        self,
        *plugins: object,
        load_installed: bool = True,
        allow: Collection[str] | None = None,
        deny: Collection[str] = (),
    ) -> None:
        self._own = plugins
        self._load_installed = load_installed
        self._selection = select(allow, deny)
        self._lock = threading.Lock()
        self._found: Loaded | None = None

    @property
    def broken(self) -> tuple[BrokenPlugin, ...]:
        """The plugins that cannot be used, each with its reason."""
        return tuple(self._loaded.broken)

    @property
    def clashes(self) -> tuple[str, ...]:
        """Names that two plugins claim, a sentence each.  While there is one, no provider is handed out."""
        return tuple(self._loaded.clashes)

    def cpi(self, name: str) -> CpiProvider:
        """The CPI of that name.  ConfigError names those there are; PluginError says why a broken one is missing."""
        return cast("CpiProvider", pick(self._loaded, "cpi", name))

    def credential_store(self, name: str) -> CredentialStoreProvider:
        """The credential store of that name; errors as for `cpi`."""
        return cast("CredentialStoreProvider", pick(self._loaded, "credential_store", name))

    def dns(self, name: str) -> DnsProvider:
        """The DNS provider of that name; errors as for `cpi`."""
        return cast("DnsProvider", pick(self._loaded, "dns", name))

    def overlay(self, name: str) -> OverlayProvider:
        """The overlay of that name; errors as for `cpi`."""
        return cast("OverlayProvider", pick(self._loaded, "overlay", name))

    def ingress(self, name: str) -> IngressProvider:
        """The ingress of that name; errors as for `cpi`."""
        return cast("IngressProvider", pick(self._loaded, "ingress", name))

    def cluster_dns(self, name: str) -> ClusterDnsProvider:
        """The cluster DNS of that name; errors as for `cpi`."""
        return cast("ClusterDnsProvider", pick(self._loaded, "cluster_dns", name))

    def connect(self, provider: Provider[P], config: object, context: ConnectContext) -> P:
        """What *provider* connects to.  PluginError when that fails, or is not what the provider's record promises."""
        try:
            connected = provider.connect(config, context)
            reason = reason_against_connected(provider, connected)
        except KuboError:
            raise
        except Exception as error:
            log.debug("%s cannot connect", self._told(provider), exc_info=True)
            reason = f"it cannot connect: {first_line(error)}{place_of(error)}"
            raise PluginError(f"{self._told(provider)}: {reason}; {REPAIR}") from error
        if reason is not None:
            raise PluginError(f"{self._told(provider)}: {reason}")
        return connected

    def review(self, plan: Plan, spec: ClusterSpec) -> tuple[Objection, ...]:
        """What plugins object to in *plan*.  A reviewer that fails objects: nobody knows what it would have said."""
        objections: list[Objection] = []
        for plugin, caller in self._loaded.reviewers:
            try:
                found = [objection for handed in caller(plan=plan, spec=spec) for objection in handed]
            except Exception as error:
                log.debug("plugin %s failed to review a plan", plugin.name, exc_info=True)
                objections.append(Objection(reason=f"plugin {plugin.name!r} failed to review: {first_line(error)}"))
                continue
            objections.extend(_as_objection(plugin.name, objection) for objection in found)
        return tuple(objections)

    def emit(self, event: Event) -> None:
        """Tell every observer.  What one raises is logged, and the others hear the event all the same."""
        for plugin, caller in self._loaded.observers:
            try:
                caller(event=event)
            except Exception:
                log.exception("plugin %s failed on %s of cluster %s", plugin.name, type(event).__name__, event.cluster)

    def describe(self) -> list[dict[str, Any]]:
        """A JSON-able row for every provider, every plugin without one, and every broken or left-out plugin."""
        return describe(self._loaded)

    def _told(self, provider: Provider[Any]) -> str:
        """The provider with where it comes from: ``the CPI 'x' (plugin 'acme' of acme-cpi 1.2)``."""
        for offer in self._loaded.offers.values():
            if offer.provider is provider:
                called = next(port.called for port in PORTS if port.port == offer.port)
                return f"the {called} {provider.name!r} (plugin {offer.plugin.name!r} of {offer.plugin.source})"
        return f"the provider {provider.name!r}"

    @property
    def _loaded(self) -> Loaded:
        with self._lock:
            if self._found is None:
                self._found = self._load()
            return self._found

    def _load(self) -> Loaded:
        candidates = (builtin(), *(installed() if self._load_installed else ()))
        chosen = [candidate for candidate in candidates if self._selection.admits(candidate)]
        own = handed_over(self._own)
        loaded = load([*chosen, *own])
        loaded.skipped.extend(candidate for candidate in candidates if candidate not in chosen)
        for broken in loaded.broken:
            if broken.name in {candidate.name for candidate in own}:
                raise PluginError(f"the plugin {broken.name!r} that was handed over is broken: {broken.reason}")
        return loaded


def _as_objection(plugin: str, objection: object) -> Objection:
    if isinstance(objection, Objection):
        return objection
    wrong = type(objection).__name__
    return Objection(reason=f"plugin {plugin!r} reviewed the plan with a {wrong} where an Objection belongs")
