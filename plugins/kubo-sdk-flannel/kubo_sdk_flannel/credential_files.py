"""Credentials as files: PEM for certificates, JSON for a user, private parts for root's eyes only."""

from __future__ import annotations

import json

from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import Certificate, User, value_of
from kubo_sdk.ports.node import NodeContext, NodeFile

SECRET_MODE = 0o600


def tls_settings(stem: str) -> dict[str, str]:
    """How a settings file names the files of `certificate_files`."""
    return {"ca": f"{stem}-ca.crt", "certificate": f"{stem}.crt", "key": f"{stem}.key"}


def certificate_files(context: NodeContext, leaf: str, stem: str) -> tuple[NodeFile, ...]:
    """The certificate *leaf*, its key and its authority, at paths that begin with *stem*."""
    value = value_of(context.credentials, leaf, Certificate)
    paths = tls_settings(stem)
    return (
        NodeFile(path=paths["ca"], content=value.ca),
        NodeFile(path=paths["certificate"], content=value.certificate),
        NodeFile(path=paths["key"], content=value.private_key, mode=SECRET_MODE),
    )


def login_file(context: NodeContext, leaf: str, path: str) -> NodeFile:
    """The user *leaf* with the password."""
    value = value_of(context.credentials, leaf, User)
    text = json.dumps({"username": value.username, "password": value.password.reveal()})
    return NodeFile(path=path, content=Secret(text), mode=SECRET_MODE)
