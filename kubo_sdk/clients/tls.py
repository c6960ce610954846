"""The TLS side of a client: whom it trusts and who it says it is."""

from __future__ import annotations

import os
import ssl

from kubo_sdk.errors import AuthError
from kubo_sdk.model.secret import Secret


def client_context(ca: str, certificate: str | None = None, private_key: Secret | None = None) -> ssl.SSLContext:
    """A context that trusts *ca* alone and shows *certificate*.  All PEM.

    Raises AuthError when one of them cannot be read or key and certificate do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError) as error:
        raise AuthError(f"the CA certificate cannot be read ({error}); give it as PEM") from None
    if certificate is not None and private_key is not None:
        try:
            _load_identity(context, certificate, private_key)
        except (ssl.SSLError, ValueError) as error:
            raise AuthError(f"the client certificate and its key cannot be used together: {error}") from None
    return context


def _load_identity(context: ssl.SSLContext, certificate: str, private_key: Secret) -> None:
    """OpenSSL takes a client key from a path only; this one leads to memory that no other user can open."""
    descriptor = os.memfd_create("kubo-client-key")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(certificate.encode() + b"\n" + private_key.reveal_bytes())
        # An encrypted key must fail here, not ask for its password on the user's terminal.
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=b"")
    finally:
        os.close(descriptor)
