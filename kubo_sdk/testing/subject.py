"""The provider a suite judges: found among the plugins, configured, and connected as often as the suite asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError, KuboError
from kubo_sdk.model.spec import ClusterSpec, ProviderChoice
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.providers import ConnectContext, Provider
from kubo_sdk.testing.node_contexts import sample_spec
from kubo_sdk.testing.settings import SuiteSettings
from kubo_sdk.testing.spawn import Spawnable


@frozen(kw_only=True)
class Subject:
    """``port`` is the key of a spec, such as ``cpi`` or ``cluster_dns``; ``provider`` a name."""

    port: str
    provider: str
    options: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)
    settings: SuiteSettings = SuiteSettings()
    plugins: Plugins = field(factory=Plugins, repr=False)
    state_dir: Path
    cache_dir: Path
    base_dir: Path

    @property
    def spec(self) -> ClusterSpec:
        """The cluster it is connected for."""
        return self._chosen(sample_spec(), self.options)

    def connect(self) -> Any:
        """A new connection.  ConfigError with every wrong option, PluginError when the provider cannot be used."""
        return self._connect(self.spec, self.options)

    def connect_for(self, spec: ClusterSpec) -> Any:
        """A connection for a second cluster, with its own options where there are some."""
        options = self.options if self.settings.other_options is None else self.settings.other_options
        return self._connect(self._chosen(spec, options), options)

    @property
    def is_installed(self) -> bool:
        """Whether another process finds the provider by its name."""
        try:
            getattr(Plugins(), self.port)(self.provider)
        except KuboError:
            return False
        return True

    def spawnable(self) -> Spawnable:
        """How another process connects to it."""
        return Spawnable(
            provider=self.provider,
            options=self.options,
            state_dir=self.state_dir,
            cache_dir=self.cache_dir,
            base_dir=self.base_dir,
        )

    def _chosen(self, spec: ClusterSpec, options: Mapping[str, Any]) -> ClusterSpec:
        choice: Any = ProviderChoice(provider=self.provider, options=options)
        return evolve(spec, **{self.port: choice})

    def _connect(self, spec: ClusterSpec, options: Mapping[str, Any]) -> Any:
        provider: Provider[Any] = getattr(self.plugins, self.port)(self.provider)
        config, problems = structure(provider.config, options, self.port)
        if problems:
            raise ConfigError(problems)
        context = ConnectContext(spec=spec, state_dir=self.state_dir, cache_dir=self.cache_dir, base_dir=self.base_dir)
        return self.plugins.connect(provider, config, context)
