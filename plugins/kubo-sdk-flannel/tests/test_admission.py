"""The gate's rules alone: flannel's requests pass as they are, everything beside them is refused."""

from __future__ import annotations

import copy
from ipaddress import IPv4Network
from typing import Any

import pytest
from kubo_sdk_flannel.agent.admission import GRANT, RANGE, REVOKE, TXN, WATCH, Forbidden, Realm, admit
from kubo_sdk_flannel.agent.etcd import encode, range_end
from kubo_sdk_flannel.agent.wire import Lease, lease_value

PREFIX = "/coreos.com/network"
REALM = Realm(PREFIX, IPv4Network("10.200.0.0/16"))
KEY = encode(f"{PREFIX}/subnets/10.200.5.0-24")
VALUE = encode(lease_value(Lease(IPv4Network("10.200.5.0/24"), "192.0.2.7", "vxlan", 1, "02:00:00:00:00:07")))
WHOLE = {"key": encode(f"{PREFIX}/"), "range_end": encode(range_end(f"{PREFIX}/"))}
COMPARE = {"key": KEY, "result": "EQUAL", "target": "VERSION", "version": "0"}
PUT = {"request_put": {"key": KEY, "value": VALUE, "lease": "7587"}}
DELETE = {"request_delete_range": {"key": KEY}}

GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "list": (RANGE, WHOLE),
    "watch": (WATCH, {"create_request": {**WHOLE, "start_revision": "12"}}),
    "grant": (GRANT, {"TTL": 86400}),
    "revoke": (REVOKE, {"ID": "7587"}),
    "take": (TXN, {"compare": [COMPARE], "success": [PUT]}),
    "renew": (
        TXN,
        {"compare": [{"key": KEY, "result": "EQUAL", "target": "MOD", "mod_revision": "9"}], "success": [PUT]},
    ),
    "give up": (TXN, {"compare": [COMPARE], "success": [DELETE]}),
}


@pytest.mark.parametrize(("path", "body"), GOOD.values(), ids=GOOD.keys())
def test_flannels_requests_pass_unchanged(path: str, body: dict[str, Any]) -> None:
    admitted = admit(REALM, path, copy.deepcopy(body))
    assert (admitted.path, admitted.body) == (path, body)


@pytest.mark.parametrize(("path", "body"), GOOD.values(), ids=GOOD.keys())
def test_a_request_with_anything_more_or_less_in_it_is_refused(path: str, body: dict[str, Any]) -> None:
    for spoilt in spoilings(body):
        with pytest.raises(Forbidden):
            admit(REALM, path, spoilt)


def spoilings(value: Any) -> list[Any]:
    """Every way to add a field, leave one out or double an item, at any depth."""
    made: list[Any]
    if isinstance(value, dict):
        made = [value | {"prev_kv": True}, *({k: v for k, v in value.items() if k != gone} for gone in value)]
        for key, inner in value.items():
            made += [value | {key: spoilt} for spoilt in spoilings(inner)]
        return made
    if isinstance(value, list):
        made = [[], value * 2]
        for index, inner in enumerate(value):
            made += [[*value[:index], spoilt, *value[index + 1 :]] for spoilt in spoilings(inner)]
        return made
    return [None, [value], {"x": value}, "", "\0", -1, True, 1.5, encode("/registry/secrets")]


def key(text: str) -> str:
    return encode(text)


BAD_KEYS = [
    "/registry/secrets/kube-system/token",
    f"{PREFIX}/config",
    f"{PREFIX}/subnets/",
    f"{PREFIX}/subnets/10.201.5.0-24",
    f"{PREFIX}/subnets/10.0.0.0-8",
    f"{PREFIX}/subnets/10.200.5.7-24",
    f"{PREFIX}/subnets/010.200.5.0-24",
    f"{PREFIX}/subnets/../../registry/10.200.5.0-24",
    f"/registry{PREFIX}/subnets/10.200.5.0-24",
    f"/registry/{PREFIX}/subnets/10.200.5.0-24",
    f"{PREFIX}/subnets/10.200.5.0-24\n",
    f"{PREFIX}/subnets/10.200.5.0-24&fd00::-64",
]


@pytest.mark.parametrize("name", BAD_KEYS)
def test_only_keys_of_subnets_of_the_network_are_written(name: str) -> None:
    compare = COMPARE | {"key": key(name)}
    for action in (
        {"request_put": PUT["request_put"] | {"key": key(name)}},
        {"request_delete_range": {"key": key(name)}},
    ):
        with pytest.raises(Forbidden):
            admit(REALM, TXN, {"compare": [compare], "success": [action]})


@pytest.mark.parametrize("value", [b"", b"{}", b"x" * 2000, b'{"PublicIP":"nobody"}', b"[]"])
def test_only_leases_are_written(value: bytes) -> None:
    put = {"request_put": PUT["request_put"] | {"value": encode(value)}}
    with pytest.raises(Forbidden):
        admit(REALM, TXN, {"compare": [COMPARE], "success": [put]})


NESTED = {"request_txn": {"success": [{"request_range": {"key": encode("/registry/x")}}]}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TXN, {"compare": [COMPARE], "success": [NESTED]}),
        (TXN, {"compare": [COMPARE], "success": [PUT], "failure": [NESTED]}),
        (TXN, {"compare": [COMPARE], "success": [PUT | NESTED]}),
        (TXN, {"success": [PUT]}),
        (TXN, {"compare": [COMPARE | {"range_end": encode(b"\0")}], "success": [PUT]}),
        (TXN, {"compare": [COMPARE | {"target": "VALUE", "value": VALUE}], "success": [PUT]}),
        (RANGE, {"key": encode(b"\0"), "range_end": encode(b"\0")}),
        (RANGE, {"key": encode("/registry/"), "range_end": encode("/registry0")}),
        (WATCH, {"create_request": {**WHOLE, "start_revision": "1", "prev_kv": True}}),
        (WATCH, {"cancel_request": {"watch_id": "1"}}),
        (GRANT, {"TTL": 86400, "ID": "7587"}),
        (GRANT, {"TTL": 0}),
        (GRANT, {"TTL": 10**9}),
        (RANGE, []),
        (RANGE, None),
        ("/v3/kv/put", {"key": KEY, "value": VALUE}),
        ("/v3/kv/range/", WHOLE),
        ("/v3/kv/range?x=1", WHOLE),
        ("/v3beta/kv/range", WHOLE),
        ("/v3/maintenance/alarm", {"action": "ACTIVATE", "alarm": "NOSPACE", "memberID": "1"}),
        ("/v3/auth/authenticate", {"name": "root", "password": "x"}),
        ("/v3/auth/user/changepw", {"name": "root", "password": "x"}),
        ("/metrics", {}),
    ],
)
def test_what_is_known_to_get_around_etcds_own_rules_never_reaches_it(path: str, body: Any) -> None:
    with pytest.raises(Forbidden):
        admit(REALM, path, body)
