"""CredentialStore: named, versioned secrets.  Kinds and parameters are CredHub's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar, runtime_checkable

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

    ``generated``: the store made it.  What a person put there is never found outdated.  ``transitional``: the version
    of an authority that is trusted beside the one that signs, while the authority is rotated.
    """

    name: str
    kind: Kind
    version: str
    created_at: datetime
    value: CredentialValue
    expires_at: datetime | None = None
    generated: bool = True
    transitional: bool = False


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
    """``rotates``: the store is an `AuthorityRotation` too."""

    contract: int = 1
    key_algorithms: tuple[str, ...] = ("ecdsa-p256", "rsa-2048")
    rotates: bool = False


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


@runtime_checkable
class BulkReading(Protocol):
    """What a store can do beside, where opening many credentials at once costs less than one after the other."""

    def get_below(self, path: str) -> tuple[Credential, ...]:
        """What `CredentialStore.find` finds, each opened as by `CredentialStore.get`."""
        ...


@runtime_checkable
class CredentialTakeover(Protocol):
    """What a store can do beside: keep what another store generated as if it had been generated here."""

    def take_over(self, name: str, kind: Kind, value: CredentialValue, parameters: Parameters) -> Credential:
        """Store *value* as a new version that was generated from *parameters*.

        `generate` with these parameters keeps it; once it is outdated a new one is generated.  A certificate comes
        after the authority it names.  Raises Conflict when the name holds another kind, ProviderError when the store
        cannot keep such a value.
        """
        ...


class AuthorityRotation(Protocol):
    """What a store can do beside, if its ``info().rotates``: exchange an authority while everybody trusts both.

    An authority has at most one version that is ``transitional``.  While it has one, ``get`` of the authority gives the
    version that signs, and ``value.ca`` of the authority, that one first, and of every leaf it signed holds the
    certificates of both.  Every method but `switch_authority` may be called again after a lost answer; NotFound where
    there is no such authority, Conflict where *name* is none, or was put there by a person.
    """

    def introduce_authority(self, name: str) -> Credential:
        """Make a new version from the same parameters that is trusted and signs nothing yet.

        Returns it, or the transitional version that is there already.
        """
        ...

    def switch_authority(self, name: str) -> Credential:
        """Exchange the roles of the signing and of the transitional version; return the one that signs now.

        What the other one signed keeps being trusted, and is outdated for `generate`.  Conflict where none is
        transitional.  Called once more it exchanges them back: who lost the answer asks who signs.
        """
        ...

    def retire_authority(self, name: str) -> None:
        """The transitional version is trusted no more; one newer than the signing one is deleted, lest it signs.

        Succeeds where none is transitional.
        """
        ...
