"""CredhubConfig: what a spec may say about its CredHub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.secret_source import SecretSource

DEFAULT_PORT = 8844
DEFAULT_CLI_CLIENT = "credhub_cli"
RSA = (KeyAlgorithm.RSA_2048, KeyAlgorithm.RSA_3072, KeyAlgorithm.RSA_4096)

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


@frozen(kw_only=True)
class CredhubConfig:
    """Options of the provider ``credhub``.  Exactly one of ``client``, ``user`` and ``certificate_file`` logs in.

    ``url``: ``https://HOST``, the port is 8844 unless it is named.  ``ca_file``: PEM of whoever signed the certificates
    of CredHub and of its UAA, by default the authorities this host trusts.  ``client`` with ``client_secret``: a client
    of the UAA, with the scopes credhub.read and credhub.write.  ``user`` with ``password``: a user of the UAA, who logs
    in through ``user_client``.  ``certificate_file`` with ``key``: a client certificate with ``OU=app:<UUID>``.
    ``uaa_url``: where the UAA is, when what CredHub says itself cannot be reached from here.  ``timeout``: seconds for
    one answer.  ``key_algorithm``: of the certificates CredHub makes: RSA is all it can.
    """

    url: str
    ca_file: Path | None = None
    client: str | None = None
    client_secret: SecretSource | None = None
    user: str | None = None
    password: SecretSource | None = None
    user_client: str = DEFAULT_CLI_CLIENT
    user_client_secret: SecretSource | None = None
    certificate_file: Path | None = None
    key: SecretSource | None = None
    uaa_url: str | None = None
    timeout: float = 30.0
    key_algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048

    def __attrs_post_init__(self) -> None:
        problem = next(self._problems(), None)
        if problem is not None:
            raise ValueError(problem)

    def _problems(self) -> Iterator[str]:
        for option, url in (("url", self.url), ("uaa_url", self.uaa_url)):
            if url is not None and not is_https(url):
                yield f"{option} {url!r} must be like https://credhub.example:{DEFAULT_PORT}, and https"
        if self.key_algorithm not in RSA:
            yield f"CredHub makes no {self.key_algorithm} keys; choose one of {', '.join(RSA)}"
        logins = [word for word in ("client", "user", "certificate_file") if getattr(self, word) is not None]
        if len(logins) != 1:
            yield f"give exactly one of client, user and certificate_file to log in with, not {len(logins)}"
        for login, secret in (("client", "client_secret"), ("user", "password"), ("certificate_file", "key")):
            if (getattr(self, login) is None) != (getattr(self, secret) is None):
                yield f"{login} and {secret} belong together; give both or none"
        if self.timeout <= 0:
            yield f"timeout {self.timeout:g} must be more than 0 seconds"


def is_https(url: str) -> bool:
    """Whether *url* is an https URL that names a host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    named = bool(parts.hostname and _HOST.fullmatch(parts.hostname))
    return parts.scheme == "https" and named and plain and (port is None or port > 0)
