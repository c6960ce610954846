"""Puts the store together from its options.  Connects nothing yet: the first request does."""

from __future__ import annotations

import ssl
from pathlib import Path

from kubo_sdk.errors import AuthError, ConfigError
from kubo_sdk.secret_source import read_file
from kubo_sdk_credhub.api.client import CredhubClient
from kubo_sdk_credhub.api.exchange import Exchange
from kubo_sdk_credhub.api.grants import ClientGrant, Grant, UserGrant
from kubo_sdk_credhub.api.server import Identity, Server
from kubo_sdk_credhub.api.session import Session
from kubo_sdk_credhub.config import DEFAULT_PORT, CredhubConfig
from kubo_sdk_credhub.keeping.store import CredhubStore


def connect(config: CredhubConfig, base_dir: Path) -> CredhubStore:
    """The store that *config* describes.  ConfigError when a file or a variable it names is not there."""
    return CredhubStore(connect_client(config, base_dir), algorithm=config.key_algorithm)


def connect_client(config: CredhubConfig, base_dir: Path) -> CredhubClient:
    """The REST client alone, for what the port has no words for: permissions, bulk regenerate, interpolate."""
    authorities = _authorities(config, base_dir)
    try:
        identity = _identity(config, base_dir)
        server = Server(config.url, authorities, identity=identity, timeout=config.timeout, default_port=DEFAULT_PORT)
    except AuthError as error:
        raise ConfigError([f"credential_store: {error}"]) from None
    grant = _grant(config, base_dir)
    session = None
    if grant is not None:
        session = Session(server, grant, authorities, uaa_url=config.uaa_url, timeout=config.timeout)
        grant.read()
    return CredhubClient(Exchange(server, session))


def _authorities(config: CredhubConfig, base_dir: Path) -> str:
    if config.ca_file is not None:
        path = base_dir / config.ca_file
        text = read_file(path, "credential_store.ca_file").decode(errors="replace")
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise ConfigError([f"credential_store.ca_file: {path} holds no PEM certificate"])
        return text
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not found:
        raise ConfigError(["credential_store.ca_file: this host trusts no authorities of its own, so name a file"])
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in found)


def _identity(config: CredhubConfig, base_dir: Path) -> Identity | None:
    if config.certificate_file is None or config.key is None:
        return None
    found = read_file(base_dir / config.certificate_file, "credential_store.certificate_file")
    certificate = found.decode(errors="replace")
    return Identity(certificate=certificate, key=config.key.read("credential_store.key", base_dir))


def _grant(config: CredhubConfig, base_dir: Path) -> Grant | None:
    """Secrets are read again at each login, so that a corrected file counts without a restart."""
    if config.client is not None and config.client_secret is not None:
        source = config.client_secret
        return ClientGrant(client=config.client, secret=lambda: source.read("credential_store.client_secret", base_dir))
    if config.user is not None and config.password is not None:
        words, through = config.password, config.user_client_secret
        option = "credential_store.user_client_secret"
        return UserGrant(
            user=config.user,
            password=lambda: words.read("credential_store.password", base_dir),
            client=config.user_client,
            client_secret=(lambda: through.read(option, base_dir)) if through is not None else None,
        )
    return None
