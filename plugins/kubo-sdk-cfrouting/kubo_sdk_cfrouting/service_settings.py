"""What the routes of services need on a master: the settings of their agent, files beside, and its unit.

Pure but for `read_service_belongings`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk.secret_source import read_file
from kubo_sdk_cfrouting import paths
from kubo_sdk_cfrouting.config import CfRoutingConfig
from kubo_sdk_cfrouting.nats_options import NatsOptions
from kubo_sdk_cfrouting.node_files import agent_settings, secret_file
from kubo_sdk_cfrouting.units import ROUTES_UNIT, routes_unit


@frozen(kw_only=True)
class ServiceBelongings:
    """What the options of service routes point at, read: empty where an option is left out."""

    password: Secret = field(factory=lambda: Secret(""))
    ca: str = ""
    certificate: str = ""
    key: Secret = field(factory=lambda: Secret(""))


def read_service_belongings(config: CfRoutingConfig, base: Path) -> ServiceBelongings:
    """Read the files and variables that the options name.  ConfigError when one is not there."""
    nats = config.nats
    if nats is None:
        return ServiceBelongings()

    def content(path: Path | None, option: str) -> bytes:
        return b"" if path is None else read_file(base / path, f"ingress.nats.{option}")

    return ServiceBelongings(
        password=nats.password.read("ingress.nats.password", base) if nats.password is not None else Secret(""),
        ca=content(nats.ca_file, "ca_file").decode(errors="replace"),
        certificate=content(nats.certificate_file, "certificate_file").decode(errors="replace"),
        key=Secret(content(nats.key_file, "key_file")),
    )


def with_service_routes(
    own: Contribution, config: CfRoutingConfig, belongings: ServiceBelongings, context: NodeContext
) -> Contribution:
    """*own*, and what the agent of service routes needs besides, unless there are no such routes."""
    if not config.service_routes:
        return own
    settings = {**agent_settings(config, context), "services": _services(config)}
    files = (
        NodeFile(path=paths.SERVICES, content=json.dumps(settings, indent=2) + "\n"),
        *(_nats_files(config.nats, belongings) if config.nats is not None else ()),
    )
    shared = (file.path for file in own.files if file.path not in (paths.SETTINGS, paths.ACCOUNTS))
    unit = Unit(name=ROUTES_UNIT, text=routes_unit(), restart_on=(*shared, *(file.path for file in files)))
    return evolve(own, files=(*own.files, *files), units=(*own.units, unit))


def _services(config: CfRoutingConfig) -> dict[str, Any]:
    nats = config.nats
    if nats is None:
        return {}
    trust = {
        "ca": paths.NATS_CA if nats.ca_file else "",
        "certificate": paths.NATS_CERTIFICATE if nats.certificate_file else "",
        "key": paths.NATS_KEY if nats.key_file else "",
    }
    return {
        "domain": config.app_domain,
        "nats": {
            "servers": [list(address) for address in nats.addresses()],
            "username": nats.user,
            "password": paths.NATS_PASSWORD if nats.password is not None else "",
            "tls": not nats.plain,
            "trust": trust,
            "server_name": nats.server_name,
        },
    }


def _nats_files(nats: NatsOptions, belongings: ServiceBelongings) -> tuple[NodeFile, ...]:
    files = []
    if nats.password is not None:
        files.append(secret_file(paths.NATS_PASSWORD, belongings.password))
    if nats.ca_file is not None:
        files.append(NodeFile(path=paths.NATS_CA, content=belongings.ca))
    if nats.certificate_file is not None:
        files.append(NodeFile(path=paths.NATS_CERTIFICATE, content=belongings.certificate))
        files.append(secret_file(paths.NATS_KEY, belongings.key))
    return tuple(files)
