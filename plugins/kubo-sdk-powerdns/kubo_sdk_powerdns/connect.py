"""Puts the provider together for a server that is there already."""

from __future__ import annotations

import base64
import binascii
import ssl
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_powerdns.api.client import ApiClient
from kubo_sdk_powerdns.api.transport import ApiTransport
from kubo_sdk_powerdns.api.zones import NewZones
from kubo_sdk_powerdns.config import ApiOptions, PowerdnsConfig, UpdateOptions, split_server
from kubo_sdk_powerdns.published_dns import PublishedDns
from kubo_sdk_powerdns.record_set import absolute
from kubo_sdk_powerdns.secret_source import SecretSource
from kubo_sdk_powerdns.serving import NameServer, Serving
from kubo_sdk_powerdns.update.client import UpdateClient
from kubo_sdk_powerdns.update.transport import UpdateTransport


def connect(config: PowerdnsConfig, context: ConnectContext) -> PublishedDns:
    """Reads secrets and files; ConfigError when one is not there.  Nothing is asked of the server yet."""
    spec = context.spec
    transport: ApiTransport | UpdateTransport
    if config.api is not None:
        transport = _api(config.api, context)
        default = NameServer(host=urlsplit(config.api.url).hostname or "", port=53)
    else:
        assert config.update is not None, "managed mode is connected elsewhere"
        transport = _update(config.update, context)
        default = NameServer(host=config.update.server, port=config.update.port)
    named = (split_server(text) for text in config.name_servers)
    servers = tuple(NameServer(host=host, port=port) for host, port in named) or (default,)
    serving = Serving(name_servers=servers, timeout=config.serve_timeout)
    return PublishedDns(transport, serving, spec.id, (spec.zone, *config.reverse_zones))


def _api(options: ApiOptions, context: ConnectContext) -> ApiTransport:
    source = _source("dns.api", options, context.base_dir)
    client = ApiClient(
        url=options.url,
        server_id=options.server_id,
        key=source.read(),
        key_source=str(source),
        tls=_tls(options, context.base_dir),
    )
    return ApiTransport(client, _new_zones(options, context.spec))


def _update(options: UpdateOptions, context: ConnectContext) -> UpdateTransport:
    source = _source("dns.update", options, context.base_dir)
    secret = source.read()
    _check_base64(secret, source)
    client = UpdateClient(
        server=NameServer(host=options.server, port=options.port),
        key_name=options.key_name,
        algorithm=options.algorithm,
        secret=secret,
        key_source=str(source),
    )
    return UpdateTransport(client)


def _source(option: str, options: ApiOptions | UpdateOptions, base_dir: Path) -> SecretSource:
    key = "key_env" if options.key_file is None else "key_file"
    return SecretSource(option=f"{option}.{key}", file=options.key_file, variable=options.key_env, base_dir=base_dir)


def _check_base64(secret: Secret, source: SecretSource) -> None:
    try:
        base64.b64decode(secret.reveal_bytes(), validate=True)
    except binascii.Error:
        raise ConfigError(
            [f"{source.option}: {source} is no base64, as secrets of TSIG are written; copy it again"]
        ) from None


def _tls(options: ApiOptions, base_dir: Path) -> ssl.SSLContext | None:
    if not options.url.startswith("https:"):
        return None
    path = base_dir / options.ca_file if options.ca_file is not None else None
    try:
        return ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ConfigError([f"dns.api.ca_file: {path} holds no certificate; give a CA in PEM"]) from None
    except OSError as error:
        raise ConfigError([f"dns.api.ca_file: {path} cannot be read: {error.strerror}; correct the path"]) from None


def _new_zones(options: ApiOptions, spec: ClusterSpec) -> NewZones:
    """Without ``zone_nameservers``: the API's host by its name, or by one of its own in the spec's zone."""
    if options.zone_nameservers:
        return NewZones(name_servers=tuple(absolute(name) for name in options.zone_nameservers))
    host = urlsplit(options.url).hostname or ""
    own = f"ns.{absolute(spec.zone)}"
    try:
        return NewZones(name_servers=(own,), addresses=(str(ip_address(host)),))
    except ValueError:
        return NewZones(name_servers=(absolute(host) if "." in host else own,))
