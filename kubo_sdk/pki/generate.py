"""Makes the value that a credential's parameters ask for."""

from __future__ import annotations

from datetime import datetime

from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.authority import issue
from kubo_sdk.pki.keys import rsa_pair, ssh_pair
from kubo_sdk.pki.passwords import random_password
from kubo_sdk.ports.credentials import (
    Certificate,
    CredentialValue,
    Kind,
    Parameters,
    PasswordParameters,
    RsaParameters,
    SshParameters,
    Text,
    User,
    UserParameters,
)


def kind_of(parameters: Parameters) -> Kind:
    """The kind of credential that *parameters* describe."""
    match parameters:
        case PasswordParameters():
            return Kind.PASSWORD
        case UserParameters():
            return Kind.USER
        case RsaParameters():
            return Kind.RSA
        case SshParameters():
            return Kind.SSH
        case _:
            return Kind.CERTIFICATE


def generate(
    parameters: Parameters,
    *,
    now: datetime,
    algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256,
    ca: Certificate | None = None,
) -> CredentialValue:
    """A new value.  *algorithm* and *ca*, the value of the CA credential, matter to certificates only."""
    match parameters:
        case PasswordParameters():
            return Text(text=random_password(parameters.length))
        case UserParameters():
            return User(username=parameters.username, password=random_password(parameters.length))
        case RsaParameters():
            return rsa_pair(parameters)
        case SshParameters():
            return ssh_pair(parameters)
        case _:
            return issue(parameters, now=now, algorithm=algorithm, ca=ca)
