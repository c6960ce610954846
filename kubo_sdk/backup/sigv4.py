"""Signs requests to S3 as AWS Signature Version 4 wants it.  Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from attrs import field, frozen

from kubo_sdk.model.secret import Secret

ALGORITHM = "AWS4-HMAC-SHA256"


@frozen(kw_only=True)
class Account:
    """Who asks."""

    access_key: str
    secret_key: Secret
    session_token: Secret = field(default=Secret(""))


@frozen(kw_only=True)
class Asked:
    """One request.  ``path`` is not quoted yet; ``headers`` are signed, Host among them; ``digest`` is the SHA-256 of
    the body in hex.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    digest: str

    @property
    def target(self) -> str:
        """What stands in the request line."""
        return f"{quote(self.path)}?{self.query_text}" if self.query else quote(self.path)

    @property
    def query_text(self) -> str:
        pairs = sorted((quote(key, safe="-_.~"), quote(value, safe="-_.~")) for key, value in self.query.items())
        return "&".join(f"{key}={value}" for key, value in pairs)


def signed_headers(asked: Asked, account: Account, region: str, at: datetime) -> dict[str, str]:
    """The headers of *asked* with those that prove who asks.  *at* is UTC; servers refuse it 15 minutes off."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    headers = {**asked.headers, "x-amz-content-sha256": asked.digest, "x-amz-date": stamp}
    if len(account.session_token):
        headers["x-amz-security-token"] = account.session_token.reveal()
    lower = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    names = ";".join(sorted(lower))
    canonical = "\n".join(
        [
            asked.method,
            quote(asked.path),
            asked.query_text,
            *(f"{name}:{lower[name]}" for name in sorted(lower)),
            "",
            names,
            asked.digest,
        ]
    )
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{account.secret_key.reveal()}".encode()
    for part in (*scope.split("/"), text):
        signature = hmac.new(key, part.encode(), hashlib.sha256)
        key = signature.digest()
    proof = f"Credential={account.access_key}/{scope},SignedHeaders={names},Signature={signature.hexdigest()}"
    return {**headers, "Authorization": f"{ALGORITHM} {proof}"}
