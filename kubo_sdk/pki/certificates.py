"""Reads certificates and bundles of them."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kubo_sdk.errors import ProviderError


def load_bundle(pem: str, owner: str) -> tuple[x509.Certificate, ...]:
    """Every certificate of *pem*, in its order.  *owner* names it in the ProviderError raised when there is none."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem.encode()))
    except ValueError:
        raise ProviderError(f"the certificate of {owner} cannot be read; give one or more PEM certificates") from None


def expires_at(pem: str, owner: str) -> datetime:
    """When the first certificate of *pem* ends (UTC)."""
    return load_bundle(pem, owner)[0].not_valid_after_utc


def join_bundles(first: str, others: str, owner: str) -> str:
    """*first* as it stands, then the certificates of *others* that it does not hold yet."""
    present = set(load_bundle(first, owner))
    more = [found for found in load_bundle(others, owner) if found not in present] if others.strip() else []
    parts = [found.public_bytes(Encoding.PEM).decode() for found in dict.fromkeys(more)]
    return "".join([first.strip() + "\n", *parts])


def sorted_bundle(pem: str) -> str:
    """The certificates of *pem* in the order of their text; a single one stays as it is written."""
    end = "-----END CERTIFICATE-----"
    parts = [part.strip() for part in pem.split(end) if part.strip()]
    return pem if len(parts) < 2 else "".join(f"{part}\n{end}\n" for part in sorted(parts))


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether the certificate may sign others."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    return constraints.ca
