"""Providers: the five objects a cluster talks to, picked by name from the plugins and connected once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import frozen

from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.cpi import Cpi
from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.ports.providers import ConnectContext, Provider

P = TypeVar("P")


@frozen(kw_only=True)
class Providers:
    """One connected provider for each port."""

    cpi: Cpi
    credential_store: CredentialStore
    dns: Dns
    overlay: Overlay
    ingress: Ingress

    @property
    def abilities(self) -> Abilities:
        """What planning may count on."""
        cpi = self.cpi.info()
        return Abilities(
            disks=cpi.disks,
            shares_trees=cpi.shares_trees,
            publishes_names=self.dns.info().publishes,
            runs_on_proxies=self.ingress.info().runs_on_proxies,
        )

    def contributions(self, context: NodeContext) -> tuple[Contribution, ...]:
        """What each provider adds to one machine."""
        everyone = (self.cpi, self.credential_store, self.dns, self.overlay, self.ingress)
        return tuple(provider.node_files(context) for provider in everyone if isinstance(provider, NodeContributor))


def connect(plugins: Plugins, context: ConnectContext) -> Providers:
    """Pick, configure and connect every provider the spec names; ConfigError carries every wrong option at once."""
    spec = context.spec
    problems: list[str] = []
    cpi = _configure(plugins.cpi(spec.cpi.provider), spec.cpi, "cpi", problems)
    store = _configure(
        plugins.credential_store(spec.credential_store.provider), spec.credential_store, "credential_store", problems
    )
    dns = _configure(plugins.dns(spec.dns.provider), spec.dns, "dns", problems)
    overlay = _configure(plugins.overlay(spec.overlay.provider), spec.overlay, "overlay", problems)
    ingress = _configure(plugins.ingress(spec.ingress.provider), spec.ingress, "ingress", problems)
    if problems:
        raise ConfigError(problems)
    return Providers(
        cpi=_open(cpi, context),
        credential_store=_open(store, context),
        dns=_open(dns, context),
        overlay=_open(overlay, context),
        ingress=_open(ingress, context),
    )


Configured = tuple[Provider[P], Any]


def _configure(provider: Provider[P], choice: ProviderChoice, place: str, problems: list[str]) -> Configured[P]:
    options: Mapping[str, Any] = choice.options
    config, found = structure(provider.config, options, place)
    problems.extend(found)
    return provider, config


def _open(configured: Configured[P], context: ConnectContext) -> P:
    provider, config = configured
    return provider.connect(config, context)
