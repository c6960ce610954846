"""One request to a fake etcd member: who asks, what for, and whether they may."""

from __future__ import annotations

import base64
from typing import Any

from attrs import frozen

from kubo_sdk.testing.fakes.etcd_data import EtcdData, Member, Span
from kubo_sdk.testing.fakes.wire import Request

Json = dict[str, Any]


class Refusal(Exception):
    """An error of etcd: its gRPC code and text."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        super().__init__(text)


@frozen(kw_only=True)
class Asked:
    """One request, as the calls see it.  ``member`` is who was asked."""

    data: EtcdData
    member: Member
    version: str
    request: Request
    body: Json

    def user(self) -> str | None:
        """Who asks; None while nobody has to say."""
        if not self.data.locked:
            return None
        if "commonName" in self.request.client:
            raise Refusal(
                9, "etcdserver: CommonName of client sending a request against gateway will be ignored and not used"
            )
        token = self.request.headers.get("authorization", "")
        if not token:
            raise Refusal(3, "etcdserver: user name is empty")
        if token not in self.data.tokens:
            raise Refusal(16, "etcdserver: invalid auth token")
        return self.data.tokens[token]

    def require_root(self) -> None:
        user = self.user()
        if user is not None and "root" not in self.data.users[user].roles:
            raise Refusal(7, "etcdserver: permission denied")

    def allow(self, span: Span, *, write: bool) -> Span:
        user = self.user()
        if user is not None and not self.data.permits(user, span, write=write):
            raise Refusal(7, "etcdserver: permission denied")
        return span


def in_bytes(body: Json, name: str) -> bytes:
    """A field that holds bytes."""
    return base64.b64decode(body.get(name, ""))


def in_text(value: bytes) -> str:
    """Bytes as the gateway writes them."""
    return base64.b64encode(value).decode()


def span_of(body: Json) -> Span:
    """The keys a request is about."""
    return in_bytes(body, "key"), in_bytes(body, "range_end")
