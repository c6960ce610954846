"""Settings: the file that ``kubo-cpi`` is given, one JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, field, fields_dict, frozen

from kubo_sdk import Plugins
from kubo_sdk.config import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import ClusterId, Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec, ProviderChoice
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk.ports.providers import ConnectContext

# The spec of a context needs one; no CPI looks at it.
_ANY_VERSION = KubernetesVersion(major=1, minor=20, patch=2)


@frozen(kw_only=True)
class Defaults:
    """What a machine or disk is part of where BOSH does not say it."""

    director: str = "bosh"
    cluster: str = "default"
    group: str = "vm"
    role: Role = Role.WORKER
    az: str = "z1"

    def said_by(self, cloud_properties: Mapping[str, Any]) -> Defaults:
        """The defaults with what *cloud_properties* say instead; ConfigError when they say nonsense."""
        names = fields_dict(Defaults)
        said = {name: value for name, value in cloud_properties.items() if name in names}
        found, problems = structure(Defaults, {**asdict(self), **said}, "cloud_properties")
        if found is None:
            raise ConfigError(problems)
        return found


@frozen(kw_only=True)
class Settings:
    """Which CPI is behind, with its options, and where the SDK keeps what it writes down.

    Relative paths start at the file's directory.
    """

    provider: str
    options: Mapping[str, Any] = field(factory=dict, hash=False, repr=False)
    state_dir: Path
    cache_dir: Path = Path("/var/cache/kubo")
    defaults: Defaults = Defaults()
    base_dir: Path = Path("/")

    @property
    def default_cluster(self) -> ClusterId:
        return ClusterId(director=self.defaults.director, name=self.defaults.cluster)

    @property
    def own_state(self) -> Path:
        """Where ``kubo-cpi`` itself keeps locks and metadata."""
        return self.state_dir / "kubo-cpi"

    def connect(self, cluster: ClusterId) -> DiskCpi:
        """The CPI behind, for *cluster*.  ConfigError when its options are wrong."""
        plugins = Plugins()
        provider = plugins.cpi(self.provider)
        config, problems = structure(provider.config, self.options, "options")
        if problems:
            raise ConfigError(problems)
        spec = ClusterSpec(
            name=cluster.name,
            director=cluster.director,
            kubernetes=KubernetesSpec(version=_ANY_VERSION),
            cpi=ProviderChoice(provider=self.provider, options=self.options),
        )
        context = ConnectContext(spec=spec, state_dir=self.state_dir, cache_dir=self.cache_dir, base_dir=self.base_dir)
        # A CPI without disks is not asked for any: see Methods.
        return plugins.connect(provider, config, context)  # type: ignore[return-value]


def read_settings(path: Path) -> Settings:
    """The settings in the file *path*; ConfigError tells everything that is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path} cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise ConfigError([f"{path} is not JSON: {error}"]) from error
    if not isinstance(content, dict):
        raise ConfigError([f"{path} must hold a JSON object"])
    settings, problems = structure(Settings, {**content, "base_dir": str(path.absolute().parent)})
    if settings is None:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return evolve(
        settings,
        state_dir=settings.base_dir / settings.state_dir,
        cache_dir=settings.base_dir / settings.cache_dir,
    )
