"""A small etcd v3 client over its JSON gateway: several endpoints, a password token, ranges, transactions, watches."""

from __future__ import annotations

import base64
import json
import ssl
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kubo_sdk_flannel.agent.http import Connection, Reply, tls_context
from kubo_sdk_flannel.agent.settings import EtcdSettings
from kubo_sdk_flannel.agent.trouble import Refused, Unreachable

_UNAVAILABLE = 14
_STALE_TOKEN = ("invalid auth token", "revision of auth store is old")


class Item(NamedTuple):
    """One key.  ``revision`` is that of its last change; ``lease`` is 0 where it has none."""

    key: str
    value: bytes
    revision: int
    lease: int


class Listing(NamedTuple):
    """What a range held at ``revision``."""

    items: tuple[Item, ...]
    revision: int


class Etcd:
    """One connection at a time, to the first endpoint that answers."""

    def __init__(self, settings: EtcdSettings) -> None:
        self._endpoints = settings.endpoints
        self._context: ssl.SSLContext | None = tls_context(settings.tls) if settings.tls else None
        self._login = settings.login
        self._patience = settings.patience
        self._current = 0
        self._connection: Connection | None = None
        self._token = ""

    @property
    def endpoint(self) -> str:
        return self._endpoints[self._current]

    def list(self, prefix: str) -> Listing:
        """Every key that starts with *prefix*."""
        reply = self.call("/v3/kv/range", {"key": encode(prefix), "range_end": encode(range_end(prefix))})
        return Listing(tuple(read_item(raw) for raw in reply.get("kvs", ())), int(reply["header"]["revision"]))

    def grant(self, seconds: float) -> str:
        """A new lease; its id stays text, for it may exceed what a JSON number carries."""
        return str(self.call("/v3/lease/grant", {"TTL": max(1, round(seconds))})["ID"])

    def revoke(self, lease: str) -> None:
        self.call("/v3/lease/revoke", {"ID": lease})

    def put_if(self, compare: dict[str, Any], key: str, value: bytes, lease: str) -> int | None:
        """Write *key* if *compare* holds for it; the revision of the write, or None where it did not hold."""
        put = {"key": encode(key), "value": encode(value), "lease": lease}
        body = {"compare": [{"key": encode(key), "result": "EQUAL", **compare}], "success": [{"request_put": put}]}
        reply = self.call("/v3/kv/txn", body)
        return int(reply["header"]["revision"]) if reply.get("succeeded") else None

    def delete_if(self, revision: int, key: str) -> None:
        """Delete *key* if it still is what it was at *revision*."""
        compare = {"key": encode(key), "result": "EQUAL", "target": "MOD", "mod_revision": str(revision)}
        self.call("/v3/kv/txn", {"compare": [compare], "success": [{"request_delete_range": {"key": encode(key)}}]})

    def watch(self, prefix: str, revision: int) -> Connection:
        """A stream of watch answers from *revision* on, on a connection of its own; the caller closes it."""
        if self._login and not self._token:
            self._authenticate()
        create = {"key": encode(prefix), "range_end": encode(range_end(prefix)), "start_revision": str(revision)}
        body = json.dumps({"create_request": create}).encode()
        connection = self._dial()
        try:
            status = connection.open("POST", "/v3/watch", body, self._headers() | {"Grpc-Metadata-hasleader": "true"})
        except OSError as error:
            connection.close()
            raise self._broken(error) from error
        if status != 200:
            connection.close()
            self._token = ""
            raise Unreachable(f"etcd at {self.endpoint} refused the watch with status {status}")
        return connection

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request.  Raises Unreachable when trying again makes sense, Refused when etcd said no."""
        if self._login and not self._token:
            self._authenticate()
        try:
            return self._ask(path, body)
        except Refused as error:
            if self._login and any(text in str(error) for text in _STALE_TOKEN):
                self._authenticate()
                return self._ask(path, body)
            raise

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def next_endpoint(self) -> None:
        """Turn to another member."""
        self.close()
        self._current = (self._current + 1) % len(self._endpoints)

    def _authenticate(self) -> None:
        login = json.loads(Path(self._login).read_text())
        self._token = ""
        reply = self._ask("/v3/auth/authenticate", {"name": login["username"], "password": login["password"]})
        self._token = str(reply["token"])

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._token} if self._token else {}

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = self._send(path, json.dumps(body).encode())
        try:
            answer: dict[str, Any] = json.loads(reply.body)
        except ValueError as error:
            text = reply.body[:200].decode(errors="replace").strip()
            raise Unreachable(f"etcd at {self.endpoint} answered {path} with {reply.status}: {text}") from error
        if reply.status == 200:
            return answer
        message = f"etcd at {self.endpoint} answered: {answer.get('message') or answer.get('error')}"
        if answer.get("code") == _UNAVAILABLE:
            self.next_endpoint()
            raise Unreachable(message)
        raise Refused(message)

    def _send(self, path: str, body: bytes) -> Reply:
        """Over the open connection, or a new one where etcd closed that while it was idle."""
        reused = self._connection is not None
        try:
            self._connection = self._connection or self._dial()
            return self._connection.request("POST", path, body, self._headers())
        except OSError as error:
            self.close()
            if reused and isinstance(error, ConnectionError):
                return self._send(path, body)
            raise self._broken(error) from error

    def _dial(self) -> Connection:
        url = urlsplit(self.endpoint)
        try:
            context = self._context if url.scheme == "https" else None
            return Connection(url.hostname or "", url.port or 2379, context, self._patience)
        except OSError as error:
            raise self._broken(error) from error

    def _broken(self, error: OSError) -> Unreachable:
        where = self.endpoint
        self.next_endpoint()
        return Unreachable(f"etcd at {where} does not answer: {error}")


def encode(text: str | bytes) -> str:
    """Bytes as the gateway wants them."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def range_end(prefix: str) -> str:
    """The end of the range that holds every key starting with *prefix*."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def read_item(raw: dict[str, Any]) -> Item:
    """One key-value record of the gateway; zero fields are left out there."""
    return Item(
        key=base64.b64decode(raw["key"]).decode(),
        value=base64.b64decode(raw.get("value", "")),
        revision=int(raw.get("mod_revision", 0)),
        lease=int(raw.get("lease", 0)),
    )
