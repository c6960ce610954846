"""Keys, transactions and leases of fake etcd members."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType

from kubo_sdk.testing.fakes.etcd_asked import Asked, Json, Refusal, in_bytes, in_text, span_of
from kubo_sdk.testing.fakes.etcd_data import Key, Lease, number

SHORTEST_LEASE = 2


def _row(name: bytes, key: Key) -> Json:
    row = {
        "key": in_text(name),
        "value": in_text(key.value),
        "create_revision": str(key.created),
        "mod_revision": str(key.modified),
        "version": str(key.version),
    }
    return row | ({"lease": str(key.lease)} if key.lease else {})


def _range(asked: Asked, body: Json | None = None) -> Json:
    found = asked.data.within(asked.allow(span_of(body or asked.body), write=False))
    return {"kvs": [_row(*each) for each in found], "count": str(len(found))} if found else {}


def _put(asked: Asked, body: Json | None = None) -> Json:
    body = body or asked.body
    key, _ = asked.allow(span_of(body), write=True)
    lease = int(body.get("lease", 0))
    asked.data.expire()
    if lease and lease not in asked.data.leases:
        raise Refusal(5, "etcdserver: requested lease not found")
    if any("NOSPACE" in member.alarms for member in asked.data.members.values()):
        raise Refusal(8, "etcdserver: mvcc: database space exceeded")
    asked.data.put(key, in_bytes(body, "value"), lease)
    return {}


def _delete_range(asked: Asked, body: Json | None = None) -> Json:
    gone = asked.data.delete(asked.allow(span_of(body or asked.body), write=True))
    return {"deleted": str(gone)} if gone else {}


def _txn(asked: Asked) -> Json:
    asked.user()
    succeeded = all(_holds(asked, compare) for compare in asked.body.get("compare", ()))
    responses = []
    for operation in asked.body.get("success" if succeeded else "failure", ()):
        for name, perform in (("range", _range), ("put", _put), ("delete_range", _delete_range)):
            if f"request_{name}" in operation:
                responses.append({f"response_{name}": perform(asked, operation[f"request_{name}"])})
    return {"succeeded": True, "responses": responses} if succeeded else {"responses": responses}


def _holds(asked: Asked, compare: Json) -> bool:
    found = dict(asked.data.within((in_bytes(compare, "key"), b""))).get(in_bytes(compare, "key"))
    match compare.get("target", "VERSION"):
        case "MOD":
            have, want = (found.modified if found else 0), int(compare.get("mod_revision", 0))
        case "CREATE":
            have, want = (found.created if found else 0), int(compare.get("create_revision", 0))
        case "VALUE":
            value = found.value if found else b""
            equal = value == in_bytes(compare, "value")
            return equal if compare.get("result", "EQUAL") == "EQUAL" else not equal
        case _:
            have, want = (found.version if found else 0), int(compare.get("version", 0))
    results = {"EQUAL": have == want, "NOT_EQUAL": have != want, "GREATER": have > want, "LESS": have < want}
    return results[str(compare.get("result", "EQUAL"))]


def _grant(asked: Asked) -> Json:
    asked.user()
    ttl = max(int(asked.body["TTL"]), SHORTEST_LEASE)
    lease = int(asked.body.get("ID", 0)) or number(secrets.token_hex(8))
    asked.data.leases[lease] = Lease(ttl=ttl, ends=asked.data.clock.time + ttl)
    return {"ID": str(lease), "TTL": str(ttl)}


def _keep_alive(asked: Asked) -> Json:
    asked.data.expire()
    lease = asked.data.leases.get(int(asked.body["ID"]))
    if lease is None:
        return {"result": {"ID": asked.body["ID"]}}
    lease.ends = asked.data.clock.time + lease.ttl
    return {"result": {"ID": asked.body["ID"], "TTL": str(lease.ttl)}}


def _revoke(asked: Asked) -> Json:
    asked.data.expire()
    if int(asked.body["ID"]) not in asked.data.leases:
        raise Refusal(5, "etcdserver: requested lease not found")
    asked.data.revoke(int(asked.body["ID"]))
    return {}


KEY_CALLS: Mapping[str, Callable[[Asked], Json]] = MappingProxyType(
    {
        "kv/range": _range,
        "kv/put": _put,
        "kv/deleterange": _delete_range,
        "kv/txn": _txn,
        "lease/grant": _grant,
        "lease/keepalive": _keep_alive,
        "lease/revoke": _revoke,
    }
)
