"""Loads candidates one by one.  A broken plugin loses itself only; two that claim one name are a clash."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pluggy
from attrs import define, field, frozen

from kubo_sdk.plugins.discovery import Candidate
from kubo_sdk.plugins.verify import Hooks, new_manager, reason_against_plugin, reason_against_record
from kubo_sdk.ports.providers import (
    ClusterDnsProvider,
    CpiProvider,
    CredentialStoreProvider,
    DnsProvider,
    IngressProvider,
    OverlayProvider,
    Provider,
)

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class PortHook:
    """How one port's providers are offered, and what the port is called in sentences."""

    port: str
    hook: str
    record: type[Provider[Any]]
    called: str


PORTS = (
    PortHook(port="cpi", hook="kubo_cpi_providers", record=CpiProvider, called="CPI"),
    PortHook(
        port="credential_store",
        hook="kubo_credential_store_providers",
        record=CredentialStoreProvider,
        called="credential store",
    ),
    PortHook(port="dns", hook="kubo_dns_providers", record=DnsProvider, called="DNS provider"),
    PortHook(port="overlay", hook="kubo_overlay_providers", record=OverlayProvider, called="overlay"),
    PortHook(port="ingress", hook="kubo_ingress_providers", record=IngressProvider, called="ingress"),
    PortHook(port="cluster_dns", hook="kubo_cluster_dns_providers", record=ClusterDnsProvider, called="cluster DNS"),
)


@frozen(kw_only=True)
class BrokenPlugin:
    """A plugin that cannot be used.  ``reason`` is one sentence."""

    name: str
    distribution: str
    version: str
    reason: str


@frozen(kw_only=True)
class Offer:
    """One provider, and the plugin it comes from."""

    port: str
    provider: Provider[Any]
    plugin: Candidate


Caller = Callable[..., Any]


@define
class Loaded:
    """Everything that was found.  ``clashes`` are sentences; no provider is handed out while there is one."""

    manager: pluggy.PluginManager = field(factory=new_manager)
    plugins: list[Candidate] = field(factory=list)
    offers: dict[tuple[str, str], Offer] = field(factory=dict)
    broken: list[BrokenPlugin] = field(factory=list)
    clashes: list[str] = field(factory=list)
    skipped: list[Candidate] = field(factory=list)
    observers: list[tuple[Candidate, Caller]] = field(factory=list)
    reviewers: list[tuple[Candidate, Caller]] = field(factory=list)

    def caller(self, plugin: Candidate, hook: str) -> Caller | None:
        """Calls *hook* of that one plugin; None where the plugin does not have it."""
        own = self.manager.get_plugin(plugin.name)
        others = [other for other in self.manager.get_plugins() if other is not own]
        caller = self.manager.subset_hook_caller(hook, others)
        return caller if caller.get_hookimpls() else None

    def callers(self, hook: str) -> list[tuple[Candidate, Caller]]:
        """Every plugin with *hook*, and how to call it there alone."""
        found = [(plugin, self.caller(plugin, hook)) for plugin in self.plugins]
        return [(plugin, caller) for plugin, caller in found if caller is not None]


class _UnusableError(Exception):
    """Why a plugin cannot be used, in one sentence."""


def load(candidates: Iterable[Candidate]) -> Loaded:
    """Load every candidate."""
    loaded = Loaded()
    for group in _by_name(candidates):
        if len(group) > 1:
            loaded.clashes.append(_clash(f"the plugin name {group[0].name!r}", group))
        else:
            _load_one(loaded, group[0])
    loaded.observers = loaded.callers("kubo_on_event")
    loaded.reviewers = loaded.callers("kubo_review_plan")
    return loaded


def _by_name(candidates: Iterable[Candidate]) -> tuple[tuple[Candidate, ...], ...]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.name, []).append(candidate)
    return tuple(tuple(group) for group in groups.values())


def _load_one(loaded: Loaded, candidate: Candidate) -> None:
    try:
        _register(loaded, candidate, _imported(candidate))
        offers = _offers(loaded, candidate)
    except _UnusableError as unusable:
        if loaded.manager.has_plugin(candidate.name):
            loaded.manager.unregister(name=candidate.name)
        _break(loaded, candidate, str(unusable))
        return
    loaded.plugins.append(candidate)
    for offer in offers:
        _accept(loaded, offer)


def _imported(candidate: Candidate) -> object:
    try:
        return candidate.load()
    except (Exception, SystemExit) as error:  # whatever a plugin raises is the plugin's trouble alone
        log.debug("plugin %s of %s cannot be imported", candidate.name, candidate.source, exc_info=True)
        raise _UnusableError(f"it cannot be imported: {first_line(error)}") from error


def _register(loaded: Loaded, candidate: Candidate, plugin: object) -> None:
    try:
        reason = reason_against_plugin(plugin, candidate.name)
    except Exception as error:
        reason = f"it cannot be looked at: {first_line(error)}"
    for name, registered in loaded.manager.list_name_plugin():
        if isinstance(registered, Hooks) and registered.plugin is plugin:
            reason = f"it is the same object as the plugin {name!r}"
    if reason is not None:
        raise _UnusableError(reason)
    loaded.manager.register(Hooks(plugin), candidate.name)


def _offers(loaded: Loaded, candidate: Candidate) -> list[Offer]:
    """What the plugin's hooks hand over."""
    offers: list[Offer] = []
    for port in PORTS:
        for record in _records(loaded, candidate, port.hook):
            reason = reason_against_record(record, port.record, port.hook)
            if reason is not None:
                raise _UnusableError(reason)
            if any((offer.port, offer.provider.name) == (port.port, record.name) for offer in offers):
                raise _UnusableError(f"it offers the {port.called} {record.name!r} twice")
            offers.append(Offer(port=port.port, provider=record, plugin=candidate))
    return offers


def _records(loaded: Loaded, candidate: Candidate, hook: str) -> list[Any]:
    caller = loaded.caller(candidate, hook)
    try:
        return [record for handed in caller() for record in handed] if caller else []
    except Exception as error:
        raise _UnusableError(f"its hook {hook!r} failed: {first_line(error)}") from error


def _accept(loaded: Loaded, offer: Offer) -> None:
    key = (offer.port, offer.provider.name)
    first = loaded.offers.setdefault(key, offer)
    if first is not offer:
        called = next(port.called for port in PORTS if port.port == offer.port)
        loaded.clashes.append(_clash(f"the {called} {offer.provider.name!r}", (first.plugin, offer.plugin)))


def _break(loaded: Loaded, candidate: Candidate, reason: str) -> None:
    log.warning("plugin %s of %s is broken: %s", candidate.name, candidate.source, reason)
    loaded.broken.append(
        BrokenPlugin(name=candidate.name, distribution=candidate.distribution, version=candidate.version, reason=reason)
    )


def _clash(what: str, plugins: Sequence[Candidate]) -> str:
    sources = " and ".join(plugin.source for plugin in plugins)
    return f"{what} is claimed by {sources}; uninstall one, or name one of them in KUBO_DISABLE_PLUGINS"


def place_of(error: BaseException) -> str:
    """Where a plugin raised it, in brackets: ``(file:line)``; empty when it was not raised in a file of a plugin's."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    if not frames or Path(frames[-1].filename).parent == Path(__file__).parent:
        return ""
    return f" ({frames[-1].filename}:{frames[-1].lineno})"


def first_line(error: BaseException) -> str:
    """The error's type and the first line it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
