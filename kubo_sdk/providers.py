"""Providers: the six objects a cluster talks to, picked by name from the plugins and connected once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs
from attrs import frozen

from kubo_sdk.config import check_other_networks, line_of, networks_in, refuse, structure
from kubo_sdk.config.preparation import read_named_files
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec, ProviderChoice
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.cluster_dns import ClusterDns
from kubo_sdk.ports.cpi import Cpi
from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor, PackageContributor
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.ports.providers import ConnectContext, Provider

P = TypeVar("P")


@frozen(kw_only=True, slots=False)
class Providers:
    """One connected provider for each port."""

    cpi: Cpi
    credential_store: CredentialStore
    dns: Dns
    overlay: Overlay
    ingress: Ingress
    cluster_dns: ClusterDns
    spec: ClusterSpec
    base_dir: Path = Path()

    @property
    def abilities(self) -> Abilities:
        """What planning may count on."""
        cpi = self.cpi.info()
        return Abilities(
            disks=cpi.disks,
            shares_trees=cpi.shares_trees,
            publishes_names=self.dns.info().publishes,
            runs_on_proxies=self.ingress.info().runs_on_proxies,
            zones=cpi.zones,
            stemcell=cpi.stemcell,
            withdrawn_by=self.ingress.info().withdrawn_by,
            stock_images=cpi.stock_images,
        )

    def contributions(self, context: NodeContext) -> tuple[Contribution, ...]:
        """What each provider adds to one machine."""
        return tuple(contributor.node_files(context) for contributor in self._contributors)

    def packages(self, role: Role) -> tuple[str, ...]:
        """The packages that the providers need on machines of *role*."""
        found = (each.node_packages(role) for each in self._everyone if isinstance(each, PackageContributor))
        return tuple(name for names in found for name in names)

    @cached_property
    def named_files(self) -> Mapping[Path, Secret]:
        """The files that the spec's section ``preparation`` names, read once.  ConfigError when one cannot be."""
        return read_named_files(self.spec, self.base_dir)

    @property
    def _everyone(self) -> tuple[object, ...]:
        return (self.cpi, self.credential_store, self.dns, self.overlay, self.ingress, self.cluster_dns)

    @cached_property
    def _contributors(self) -> tuple[NodeContributor, ...]:
        return tuple(provider for provider in self._everyone if isinstance(provider, NodeContributor))


def connect(plugins: Plugins, context: ConnectContext) -> Providers:
    """Pick, configure and connect every provider the spec names; ConfigError carries everything wrong at once."""
    spec = context.spec
    picks = _Picks(spec)
    cpi = picks.configure("cpi", plugins.cpi, spec.cpi)
    store = picks.configure("credential_store", plugins.credential_store, spec.credential_store)
    dns = picks.configure("dns", plugins.dns, spec.dns)
    overlay = picks.configure("overlay", plugins.overlay, spec.overlay)
    ingress = picks.configure("ingress", plugins.ingress, spec.ingress)
    cluster_dns = picks.configure("cluster_dns", plugins.cluster_dns, spec.cluster_dns)
    picks.refuse()
    credential_store = store.open(plugins, context)
    context = attrs.evolve(context, credential_store=credential_store)
    return Providers(
        cpi=cpi.open(plugins, context),
        credential_store=credential_store,
        dns=dns.open(plugins, context),
        overlay=overlay.open(plugins, context),
        ingress=ingress.open(plugins, context),
        cluster_dns=cluster_dns.open(plugins, context),
        spec=context.spec,
        base_dir=context.base_dir,
    )


def connect_ground(plugins: Plugins, context: ConnectContext) -> tuple[Cpi, CredentialStore]:
    """Connect no more than what tells what there is: the machines and the credentials."""
    spec = context.spec
    picks = _Picks(spec)
    cpi = picks.configure("cpi", plugins.cpi, spec.cpi)
    store = picks.configure("credential_store", plugins.credential_store, spec.credential_store)
    picks.refuse()
    credential_store = store.open(plugins, context)
    return cpi.open(plugins, attrs.evolve(context, credential_store=credential_store)), credential_store


@frozen(kw_only=True)
class _Configured(Generic[P]):
    """A provider with its config, not connected yet.  ``provider`` is None where a problem was found."""

    provider: Provider[P] | None
    config: Any

    def open(self, plugins: Plugins, context: ConnectContext) -> P:
        assert self.provider is not None, "problems are refused before anything is opened"
        return plugins.connect(self.provider, self.config, context)


class _Picks:
    """Picks and configures provider after provider, collecting what is wrong."""

    def __init__(self, spec: ClusterSpec) -> None:
        self._spec = spec
        self._problems: list[str] = []
        self._networks: dict[tuple[str | int, ...], IPv4Network] = {}

    def configure(self, port: str, pick: Callable[[str], Provider[P]], choice: ProviderChoice) -> _Configured[P]:
        try:
            provider = pick(choice.provider)
        except ConfigError as error:
            self._problems += [f"{line_of(choice)}{problem}" for problem in error.problems]
            return _Configured(provider=None, config=None)
        config, found = structure(provider.config, choice.options, port)
        self._problems += found
        if config is not None:
            self._networks |= networks_in(config, port)
        return _Configured(provider=provider, config=config)

    def refuse(self) -> None:
        """Raise ConfigError when anything was wrong, also between the options of different providers."""
        if self._problems:
            raise ConfigError(self._problems)
        refuse(check_other_networks(self._spec, self._networks), self._spec)
