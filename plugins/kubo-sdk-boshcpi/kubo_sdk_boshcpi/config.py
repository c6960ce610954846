"""BoshConfig: the options of the CPI ``bosh``."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from attrs import field, frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.secret_source import SecretSource
from kubo_sdk_boshcpi.protocol import HIGHEST_VERSION


class NetworkType(StrEnum):
    """Who gives out the addresses of a network."""

    DYNAMIC = "dynamic"
    MANUAL = "manual"


@frozen(kw_only=True)
class NetworkOption:
    """One network of every machine, or of those in ``azs``.

    A manual network needs ``range`` and ``gateway``; ``first`` and ``last`` bound the addresses given out.  The first
    network of a machine is its default gateway, and where the others reach it.
    """

    name: str
    type: NetworkType = NetworkType.DYNAMIC
    range: IPv4Network | None = None
    gateway: IPv4Address | None = None
    first: IPv4Address | None = None
    last: IPv4Address | None = None
    dns: tuple[IPv4Address, ...] = ()
    azs: tuple[str, ...] = ()
    cloud_properties: Mapping[str, Any] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class BoshConfig:
    """Which executable, how it is called, and what it is asked for.

    ``shell_command`` is the argv that runs one shell command line on a machine as root; the line is added as the last
    argument.  ``{address}`` and ``{vm_cid}`` are filled in, there and in ``address_command``, which prints the address
    of a machine where the CPI does not tell it.  ``((name))`` in ``context``, ``env``, ``process_environment`` and any
    cloud properties is replaced by the secret of that name.
    """

    executable: Path
    shell_command: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    process_environment: Mapping[str, str] = field(factory=dict, hash=False)
    timeout: float = 3600.0
    api_version: int = HIGHEST_VERSION
    extensions: bool = True
    director_uuid: str = ""
    context: Mapping[str, Any] = field(factory=dict, hash=False)
    secrets: Mapping[str, SecretSource] = field(factory=dict, hash=False)
    stemcell: str = ""
    stemcell_image: Path | None = None
    stemcell_properties: Mapping[str, Any] = field(factory=dict, hash=False)
    stemcell_api_version: int = 2
    networks: tuple[NetworkOption, ...] = (NetworkOption(name="default"),)
    cloud_properties: Mapping[str, Any] = field(factory=dict, hash=False)
    azs: Mapping[str, Mapping[str, Any]] = field(factory=dict, hash=False)
    env: Mapping[str, Any] = field(factory=dict, hash=False)
    ephemeral_disk_mb: int = 10240
    disk_properties: Mapping[str, Any] = field(factory=dict, hash=False)
    disk_device: str = ""
    interact_command: tuple[str, ...] = ()
    unreachable_codes: tuple[int, ...] = (255,)
    address_command: tuple[str, ...] = ()
    boot_timeout: float = 300.0


def check(config: BoshConfig) -> None:
    """Raise ConfigError with every option that cannot work."""
    problems = [
        *_executable_problems(config.executable),
        *(["shell_command: must not be empty"] if not config.shell_command else []),
        *_number_problems(config),
        *_network_problems(config),
    ]
    if config.stemcell and config.stemcell_image is not None:
        problems.append("stemcell_image: must not stand beside stemcell, which names one that is uploaded already")
    if problems:
        raise ConfigError([f"cpi bosh: {problem}" for problem in problems])


def _executable_problems(path: Path) -> list[str]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return [f"executable: {path} cannot be found ({error.strerror}); install the CPI or correct the path"]
    if not stat.S_ISREG(mode) or not mode & 0o111:
        return [f"executable: {path} is not executable; make it so with chmod +x or correct the path"]
    return []


def _number_problems(config: BoshConfig) -> list[str]:
    problems = []
    if not 1 <= config.api_version <= HIGHEST_VERSION:
        problems.append(f"api_version: {config.api_version} is not known; it must be from 1 to {HIGHEST_VERSION}")
    for option, seconds in (("timeout", config.timeout), ("boot_timeout", config.boot_timeout)):
        if seconds <= 0:
            problems.append(f"{option}: {seconds:g} must be more than 0 seconds")
    return problems


def _network_problems(config: BoshConfig) -> list[str]:
    problems = [] if config.networks else ["networks: must not be empty"]
    names = [network.name for network in config.networks]
    problems += [f"networks: {name!r} stands there twice" for name in sorted(set(names)) if names.count(name) > 1]
    for network in config.networks:
        problems += [f"networks: {network.name!r} {problem}" for problem in _address_problems(network)]
        problems += [
            f"networks: {network.name!r} names the AZ {az!r}, which azs lacks" for az in _strange(network, config)
        ]
    return problems


def _strange(network: NetworkOption, config: BoshConfig) -> list[str]:
    return [az for az in network.azs if config.azs and az not in config.azs]


def _address_problems(network: NetworkOption) -> list[str]:
    if network.type is NetworkType.DYNAMIC:
        given = [name for name in ("range", "gateway", "first", "last") if getattr(network, name) is not None]
        return [f"is dynamic and must not have {', '.join(given)}"] if given else []
    if network.range is None or network.gateway is None:
        return ["is manual and must have range and gateway"]
    return [
        f"has the {name} {address}, which is not in its range {network.range}"
        for name, address in (("gateway", network.gateway), ("first", network.first), ("last", network.last))
        if address is not None and address not in network.range
    ]
