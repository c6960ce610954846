"""LocalConfig: the options of the CPI ``local``."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import ConfigError

DEFAULT_ROOT = Path("/var/lib/kubo")
DEFAULT_CACHE = Path("/var/cache/kubo")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
_SMALLEST_PREFIX, _LARGEST_PREFIX = 29, 16


@frozen(kw_only=True)
class LocalConfig:
    """Where machines live and what network they share.

    ``root`` holds machines and disks, ``cache`` stemcells; left out, they are the SDK's own state and cache
    directories, /var/lib/kubo and /var/cache/kubo.  The bridge takes the first address of ``subnet``.
    ``outside`` lets machines reach what this host reaches, behind its address.  ``stemcell_packages`` are Debian
    packages added to the stemcell.  ``stock_tree``: machines are made from this tree instead, as it is, like those of a
    cloud from a stock image: they see nothing of this host, and the core prepares them.
    """

    root: Path | None = None
    cache: Path | None = None
    subnet: IPv4Network = IPv4Network("10.77.0.0/24")
    outside: bool = False
    stemcell_packages: tuple[str, ...] = ()
    stock_tree: Path | None = None

    @property
    def state(self) -> Path:
        """Where machines and disks live."""
        return self.root or DEFAULT_ROOT

    @property
    def stemcells(self) -> Path:
        """Where stemcells live."""
        return (self.cache or DEFAULT_CACHE) / "stemcells"


def check(config: LocalConfig) -> None:
    """Raise ConfigError with every option that cannot work."""
    problems = [
        *_path_problems("root", config.state),
        *_path_problems("cache", config.stemcells),
        *(_path_problems("stock_tree", config.stock_tree) if config.stock_tree else ()),
        *_subnet_problems(config.subnet),
        *(
            f"stemcell_packages: {name!r} is not the name of a Debian package"
            for name in config.stemcell_packages
            if not _PACKAGE.fullmatch(name)
        ),
    ]
    if problems:
        raise ConfigError([f"cpi local: {problem}" for problem in problems])


def _path_problems(option: str, path: Path) -> list[str]:
    """The kernel takes overlay layers in one string, where these characters part them."""
    if not path.is_absolute():
        return [f"{option}: {str(path)!r} is not an absolute path"]
    if ".." in path.parts:
        return [f"{option}: {str(path)!r} must not hold '..'"]
    if any(character in str(path) for character in ":,\\\n "):
        return [f"{option}: {str(path)!r} must not hold a space, colon, comma or backslash"]
    return []


def _subnet_problems(subnet: IPv4Network) -> list[str]:
    if not _LARGEST_PREFIX <= subnet.prefixlen <= _SMALLEST_PREFIX:
        return [f"subnet: {subnet} must be from /{_LARGEST_PREFIX} to /{_SMALLEST_PREFIX}"]
    if not subnet.is_private or subnet.is_loopback or subnet.is_link_local:
        return [f"subnet: {subnet} is not a private network; take one from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"]
    return []
