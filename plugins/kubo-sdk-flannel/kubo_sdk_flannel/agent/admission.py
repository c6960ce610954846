"""What a worker may ask of etcd: flannel's few requests on flannel's own keys, each rebuilt from its checked parts.

etcd's own users and roles are no wall: before 3.4.44, 3.5.30 and 3.6.11 nested transactions, alarms and leases get
around them, and whoever shows a certificate etcd trusts can make himself root.  So a request is never handed on as it
came.  Pure.
"""

from __future__ import annotations

import base64
import re
from ipaddress import IPv4Network
from typing import Any, NamedTuple

from kubo_sdk_flannel.agent.etcd import encode, range_end
from kubo_sdk_flannel.agent.wire import lease_key, parse_lease, parse_subnet_key

LONGEST_LEASE = 86400
LARGEST_VALUE = 1024
RANGE, TXN, GRANT, REVOKE, WATCH = (
    "/v3/kv/range",
    "/v3/kv/txn",
    "/v3/lease/grant",
    "/v3/lease/revoke",
    "/v3/watch",
)

_NUMBER = re.compile(r"\d{1,19}")


class Forbidden(Exception):
    """This is none of flannel's requests.  One sentence."""


class Realm(NamedTuple):
    """The keys below *prefix*, and the network their subnets are parts of."""

    prefix: str
    network: IPv4Network


class Admitted(NamedTuple):
    """A request fit for etcd.  ``lease`` is the id of the lease it uses, empty where it uses none."""

    path: str
    body: dict[str, Any]
    lease: str = ""


def admit(realm: Realm, path: str, body: Any) -> Admitted:
    """The request to send instead of *body*.  Raises Forbidden."""
    check = {RANGE: _range, TXN: _transaction, GRANT: _grant, REVOKE: _revoke, WATCH: _watch}.get(path)
    if check is None:
        raise Forbidden(f"{path} is no request of flannel's")
    try:
        return check(realm, body)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Forbidden(f"{path} was not asked the way flannel asks") from error


def _whole(realm: Realm) -> dict[str, str]:
    prefix = f"{realm.prefix}/"
    return {"key": encode(prefix), "range_end": encode(range_end(prefix))}


def _range(realm: Realm, body: Any) -> Admitted:
    if body != _whole(realm):
        raise Forbidden("only flannel's whole network can be listed")
    return Admitted(RANGE, _whole(realm))


def _watch(realm: Realm, body: Any) -> Admitted:
    create = dict(body["create_request"])
    revision = _number(create.pop("start_revision"))
    if set(body) != {"create_request"} or create != _whole(realm):
        raise Forbidden("only flannel's whole network can be watched")
    return Admitted(WATCH, {"create_request": {**_whole(realm), "start_revision": revision}})


def _grant(_: Realm, body: Any) -> Admitted:
    seconds = int(_number(body["TTL"]))
    if set(body) != {"TTL"} or not 0 < seconds <= LONGEST_LEASE:
        raise Forbidden(f"a lease lasts from 1 to {LONGEST_LEASE} seconds and etcd picks its id")
    return Admitted(GRANT, {"TTL": seconds})


def _revoke(_: Realm, body: Any) -> Admitted:
    lease = _number(body["ID"])
    if set(body) != {"ID"}:
        raise Forbidden("ending a lease needs its id alone")
    return Admitted(REVOKE, {"ID": lease}, lease)


def _transaction(realm: Realm, body: Any) -> Admitted:
    """One comparison and one write, both of the same lease key."""
    (compare,), (action,) = body["compare"], body["success"]
    if set(body) != {"compare", "success"} or len(action) != 1:
        raise Forbidden("a transaction compares one subnet's key and writes that key")
    key = _subnet_key(realm, compare["key"])
    checked = {"key": encode(key), "result": "EQUAL", **_comparison(compare)}
    if "request_delete_range" in action:
        _same_key(key, action["request_delete_range"], {"key"})
        return Admitted(TXN, {"compare": [checked], "success": [{"request_delete_range": {"key": encode(key)}}]})
    put = action["request_put"]
    _same_key(key, put, {"key", "value", "lease"})
    value, lease = base64.b64decode(put["value"], validate=True), _number(put["lease"])
    if len(value) > LARGEST_VALUE or parse_lease(key, value) is None:
        raise Forbidden("what is written is no subnet lease")
    written = {"key": encode(key), "value": encode(value), "lease": lease}
    return Admitted(TXN, {"compare": [checked], "success": [{"request_put": written}]}, lease)


def _comparison(compare: Any) -> dict[str, str]:
    field = {"VERSION": "version", "MOD": "mod_revision"}[compare["target"]]
    if set(compare) != {"key", "result", "target", field} or compare["result"] != "EQUAL":
        raise Forbidden("a transaction compares a version or a revision")
    return {"target": compare["target"], field: _number(compare[field])}


def _same_key(key: str, request: Any, fields: set[str]) -> None:
    if set(request) != fields or request["key"] != encode(key):
        raise Forbidden("a transaction writes the key it compares, and nothing else")


def _subnet_key(realm: Realm, encoded: Any) -> str:
    key = base64.b64decode(encoded, validate=True).decode("ascii")
    subnet = parse_subnet_key(key)
    if subnet is None or key != lease_key(realm.prefix, subnet) or not subnet.subnet_of(realm.network):
        raise Forbidden("that key names no subnet of the network")
    return key


def _number(value: Any) -> str:
    """An unsigned 64-bit number as text."""
    text = str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise Forbidden(f"{text[:20]!r} is not a number")
    return text
