"""The release sources by name: the door to this package."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.releases.auto import AutoOptions, AutoSource
from kubo_sdk.releases.debian import DebianOptions, DebianSource
from kubo_sdk.releases.directory import DirectoryOptions, DirectorySource
from kubo_sdk.releases.options import read_options
from kubo_sdk.releases.protocol import ReleaseSource
from kubo_sdk.releases.upstream import UpstreamOptions, UpstreamSource

__all__ = ["NAMES", "ReleaseSource", "open_source"]

NAMES = ("auto", "upstream", "debian", "directory")


def open_source(choice: ProviderChoice, *, cache_dir: Path, base_dir: Path) -> ReleaseSource:
    """The release source a spec chose.

    *cache_dir*: where releases are kept; *base_dir*: where relative paths of the spec start.  ConfigError for an
    unknown name or option says what there is.  Nothing is asked or written yet.
    """
    name, options = choice.provider, choice.options
    match name:
        case "auto":
            return AutoSource(read_options(AutoOptions, name, options), cache_dir=cache_dir, base_dir=base_dir)
        case "upstream":
            return UpstreamSource(read_options(UpstreamOptions, name, options), cache_dir=cache_dir, base_dir=base_dir)
        case "debian":
            return DebianSource(read_options(DebianOptions, name, options), cache_dir=cache_dir)
        case "directory":
            return DirectorySource(
                read_options(DirectoryOptions, name, options), cache_dir=cache_dir, base_dir=base_dir
            )
    raise ConfigError([f"no release source called {name!r}; there are {', '.join(NAMES)}"])
