"""Puts the ingress together from its options.  Connects nothing yet: the first request does."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.secret_source import read_file
from kubo_sdk_cfrouting.agent.https import Https, Trust
from kubo_sdk_cfrouting.agent.routing_api import RoutingApi
from kubo_sdk_cfrouting.agent.trouble import RoutingError
from kubo_sdk_cfrouting.agent.uaa import Uaa
from kubo_sdk_cfrouting.bundle import agent_archive
from kubo_sdk_cfrouting.config import CfRoutingConfig
from kubo_sdk_cfrouting.ingress import CfRoutingIngress
from kubo_sdk_cfrouting.node_files import Belongings
from kubo_sdk_cfrouting.service_settings import read_service_belongings


def connect(config: CfRoutingConfig, context: ConnectContext) -> CfRoutingIngress:
    """The ingress of one cluster.  ConfigError when a file or a variable that *config* names is not there."""
    base = context.base_dir
    belongings = _belongings(config, base)
    api = _routing_api(config, base)
    services = read_service_belongings(config, base)
    return CfRoutingIngress(config, context.spec, api, belongings, services, build_agent=agent_archive)


def _belongings(config: CfRoutingConfig, base: Path) -> Belongings:
    return Belongings(
        secret=config.client_secret.read("ingress.client_secret", base),
        ca=_pem(config.ca_file, "ca_file", base),
        certificate=_pem(config.certificate_file, "certificate_file", base),
        key=Secret(_bytes(config.key_file, "key_file", base)),
    )


def _pem(path: Path | None, option: str, base: Path) -> str:
    text = _bytes(path, option, base).decode(errors="replace")
    if path is not None and "-----BEGIN CERTIFICATE-----" not in text:
        raise ConfigError([f"ingress.{option}: {base / path} holds no PEM certificate"])
    return text


def _bytes(path: Path | None, option: str, base: Path) -> bytes:
    return b"" if path is None else read_file(base / path, f"ingress.{option}")


def _routing_api(config: CfRoutingConfig, base: Path) -> RoutingApi:
    """The secret is read again at each login, so that a corrected file counts without a restart."""
    ca = "" if config.ca_file is None else str(base / config.ca_file)
    shown = (config.certificate_file, config.key_file)
    certificate, key = ("" if path is None else str(base / path) for path in shown)
    try:
        uaa = Https("UAA", config.uaa, Trust(ca=ca), config.timeout)
        server = Https("routing API", config.routing_api, Trust(ca, certificate, key), config.timeout)
    except RoutingError as error:
        raise ConfigError([f"ingress: {error}"]) from None
    source = config.client_secret
    return RoutingApi(server, Uaa(uaa, config.client, lambda: source.read("ingress.client_secret", base).reveal()))
