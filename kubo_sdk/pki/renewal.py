"""Says when a certificate that the store made is due for a new one.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from kubo_sdk.ports.credentials import CertificateParameters, Credential, Parameters

# A short-lived certificate is renewed when this share of its life is left.
SHARE = 1 / 3
# A new one that ends at most so much later, because its authority ends, is not worth it.
GAIN = timedelta(days=1)


def due_at(made: datetime, end: datetime, renew_days: int) -> datetime:
    """When to renew what was made at *made* and is valid until *end*."""
    return end - min(timedelta(days=renew_days), (end - made) * SHARE)


def is_due(
    credential: Credential, wanted: Parameters, credentials: Mapping[str, Credential], now: datetime, renew_days: int
) -> bool:
    """Whether a new version of *credential* is due.  *credentials* holds the cluster's by leaf name.

    Never that of an authority, nor what a person put; nor one that ends because its authority does.
    """
    if not isinstance(wanted, CertificateParameters) or wanted.is_ca or not credential.generated:
        return False
    end = credential.expires_at
    if end is None or now < due_at(credential.created_at, end, renew_days):
        return False
    authority = credentials.get((wanted.ca or "").rsplit("/", 1)[-1])
    latest = authority.expires_at if authority is not None else None
    return latest is None or end + GAIN < latest
