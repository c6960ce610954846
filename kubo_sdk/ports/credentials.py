"""CredentialStore: named, versioned secrets.  Kinds and parameters are CredHub's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from attrs import frozen

from kubo_sdk.errors import NotFound
from kubo_sdk.model.secret import Secret


class Kind(StrEnum):
    """What a credential is."""

    VALUE = "value"
    JSON = "json"
    PASSWORD = "password"
    USER = "user"
    CERTIFICATE = "certificate"
    RSA = "rsa"
    SSH = "ssh"


@frozen(kw_only=True)
class Text:
    """The value of kinds value, json and password."""

    text: Secret


@frozen(kw_only=True)
class User:
    """The value of kind user."""

    username: str
    password: Secret


@frozen(kw_only=True)
class Certificate:
    """The value of kind certificate.  All PEM; ``ca`` may hold several certificates while a CA is rotated."""

    certificate: str
    private_key: Secret
    ca: str


@frozen(kw_only=True)
class KeyPair:
    """The value of kinds rsa (PEM) and ssh (OpenSSH public key line, PEM private key)."""

    public_key: str
    private_key: Secret


CredentialValue = Text | User | Certificate | KeyPair

V = TypeVar("V", Text, User, Certificate, KeyPair)


@frozen(kw_only=True)
class PasswordParameters:
    """Letters and digits; at least two of each class."""

    length: int = 30


@frozen(kw_only=True)
class UserParameters:
    username: str
    length: int = 30


@frozen(kw_only=True)
class RsaParameters:
    key_length: int = 2048


@frozen(kw_only=True)
class SshParameters:
    comment: str = ""


@frozen(kw_only=True)
class CertificateParameters:
    """What a certificate says.  ``ca`` is the name of the signing credential; a CA without one signs itself.

    ``common_name`` and ``organization``: at least one of them.  etcd's REST gateway refuses clients with a common name.

    ``alternative_names`` holds DNS names and IP addresses alike.  Usages are CredHub's words: digital_signature,
    key_encipherment, key_cert_sign, crl_sign; server_auth, client_auth.
    """

    common_name: str | None = None
    organization: str | None = None
    alternative_names: tuple[str, ...] = ()
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    ca: str | None = None
    is_ca: bool = False
    duration_days: int = 365


Parameters = PasswordParameters | UserParameters | RsaParameters | SshParameters | CertificateParameters


class Mode(StrEnum):
    """What `generate` does when the name exists."""

    CONVERGE = "converge"
    OVERWRITE = "overwrite"
    NO_OVERWRITE = "no-overwrite"


@frozen(kw_only=True)
class Credential:
    """One version of one credential.  ``expires_at`` is set for certificates.

    ``generated``: the store made it.  What a person put there is never found outdated.
    """

    name: str
    kind: Kind
    version: str
    created_at: datetime
    value: CredentialValue
    expires_at: datetime | None = None
    generated: bool = True


def value_of(credentials: Mapping[str, Credential], leaf: str, kind: type[V]) -> V:
    """The value of the credential *leaf*.  NotFound when there is none of that name and kind."""
    credential = credentials.get(leaf)
    if credential is None or not isinstance(credential.value, kind):
        raise NotFound(f"there is no credential {leaf!r} of kind {kind.__name__.lower()}; deploy the cluster to get it")
    return credential.value


@frozen(kw_only=True)
class CredentialSummary:
    """What may be known of a credential without opening it."""

    name: str
    kind: Kind
    version: str
    created_at: datetime
    expires_at: datetime | None = None


@frozen(kw_only=True)
class CredentialStoreInfo:
    contract: int = 1
    key_algorithms: tuple[str, ...] = ("ecdsa-p256", "rsa-2048")


class CredentialStore(Protocol):
    """Names look like ``/<director>/<cluster>/<leaf>`` and compare without regard to case."""

    def info(self) -> CredentialStoreInfo: ...

    def get(self, name: str) -> Credential:
        """The newest version.  Raises NotFound."""
        ...

    def list_versions(self, name: str) -> tuple[Credential, ...]:
        """Every version, newest first.  Raises NotFound."""
        ...

    def put(self, name: str, kind: Kind, value: CredentialValue) -> Credential:
        """Store a new version.  Raises Conflict when the name holds another kind."""
        ...

    def generate(self, name: str, parameters: Parameters, mode: Mode = Mode.CONVERGE) -> Credential:
        """Make and store a value.

        CONVERGE keeps the newest version unless the parameters differ (the duration alone does not count) or, for a
        certificate, its CA has a newer version.  Raises NotFound when the CA is absent.
        """
        ...

    def generate_many(
        self, requests: Sequence[tuple[str, Parameters]], mode: Mode = Mode.CONVERGE
    ) -> tuple[Credential, ...]:
        """`generate` for several names, in their order, so that a CA may stand before what it signs.

        A store that can makes all of them or none.
        """
        ...

    def delete(self, name: str) -> None:
        """Delete every version.  Deleting what is absent succeeds."""
        ...

    def find(self, path: str) -> tuple[CredentialSummary, ...]:
        """The newest version of every name below *path*, without opening any."""
        ...
