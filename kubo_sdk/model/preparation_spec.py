"""PreparationSpec: what a stock image lacks, where it comes from, and the ways to the world outside."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from attrs import frozen


class PackageSource(StrEnum):
    """Where machines get Debian packages from: a mirror, a directory of this host, or they have them already."""

    APT = "apt"
    BUNDLE = "bundle"
    IMAGE = "image"


@frozen(kw_only=True)
class PackagesSpec:
    """The packages of machines that start from a stock image.

    ``apt``: lines of sources, used instead of those of the image; ``{codename}`` stands for the machine's release.
    ``key_file``: what they are signed with, where the image does not know it.  ``bundle``: a directory of .deb files.
    ``extra``: more packages, on every machine.
    """

    source: PackageSource = PackageSource.APT
    apt: tuple[str, ...] = ()
    key_file: Path | None = None
    bundle: Path | None = None
    extra: tuple[str, ...] = ()


@frozen(kw_only=True)
class ProxySpec:
    """The HTTP proxy that apt, containerd and the download of the release use.

    ``credentials_file`` holds USER:PASSWORD.
    """

    http: str = ""
    https: str = ""
    no_proxy: tuple[str, ...] = ()
    credentials_file: Path | None = None

    @property
    def is_set(self) -> bool:
        return bool(self.http or self.https)


@frozen(kw_only=True)
class RegistrySpec:
    """How images of the registry ``host`` are pulled; ``*`` is every registry without an entry.

    ``mirrors`` are asked before the registry itself.  ``ca_file``: whom to trust (PEM).  ``credentials_file`` holds
    USER:PASSWORD.
    """

    host: str
    mirrors: tuple[str, ...] = ()
    ca_file: Path | None = None
    credentials_file: Path | None = None


@frozen(kw_only=True)
class PreparationSpec:
    """``release_url``: where machines fetch the Kubernetes software themselves; empty: the director sends it."""

    packages: PackagesSpec = PackagesSpec()
    proxy: ProxySpec = ProxySpec()
    registries: tuple[RegistrySpec, ...] = ()
    release_url: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the section names, as it is written; the bundle is a directory, and none of them."""
        found = [self.packages.key_file, self.proxy.credentials_file]
        for registry in self.registries:
            found += [registry.ca_file, registry.credentials_file]
        return tuple(path for path in found if path is not None)
