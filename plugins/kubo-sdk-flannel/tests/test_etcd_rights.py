"""What a worker's credentials are good for in etcd: the overlay's keys and nothing else (CVE-2019-3779).

Every door is tried as an intruder on a worker would: the JSON gateway and gRPC, with the password and without.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kubo_sdk_flannel.agent.etcd import Etcd, encode, range_end
from kubo_sdk_flannel.agent.http import Connection, Credentials, tls_context
from kubo_sdk_flannel.agent.settings import EtcdSettings
from kubo_sdk_flannel.agent.trouble import StoreTrouble

from .lab.datacentre import PREFIX, etcd_settings
from .lab.etcd_server import OVERLAY_PASSWORD, OVERLAY_USER, ROOT, DirectorEtcd, EtcdServer

SECRET_KEY, SECRET_VALUE = "/registry/secrets/kube-system/token", "a-secret-of-kubernetes"
EVERYTHING = {"key": encode(b"\0"), "range_end": encode(b"\0")}
REGISTRY = {"key": encode("/registry/"), "range_end": encode(range_end("/registry/"))}
ONE = {"key": encode(SECRET_KEY)}


class Intruder(NamedTuple):
    """What somebody who owns a worker has in hand."""

    server: EtcdServer
    settings: EtcdSettings

    def client(self, *, password: bool) -> Etcd:
        return Etcd(self.settings if password else self.settings._replace(login=""))

    @property
    def certificate(self) -> tuple[Path, Path]:
        assert self.settings.tls
        return Path(self.settings.tls.certificate), Path(self.settings.tls.key)


@pytest.fixture
def intruder(local_etcd: EtcdServer, tmp_path: Path) -> Iterator[Intruder]:
    raw = etcd_settings(local_etcd, tmp_path)
    tls = Credentials(raw["ca"], raw["certificate"], raw["key"])
    local_etcd.ctl("put", SECRET_KEY, SECRET_VALUE)
    try:
        yield Intruder(local_etcd, EtcdSettings((local_etcd.url,), PREFIX, tls, raw["login"], 60.0, 30.0))
        assert DirectorEtcd(local_etcd).get(SECRET_KEY) is not None
        assert DirectorEtcd(local_etcd).list("/registry/")[0].value == SECRET_VALUE.encode()
    finally:
        DirectorEtcd(local_etcd).clear()


def text(value: str) -> str:
    return b64encode(value.encode()).decode()


FORBIDDEN: dict[str, tuple[str, dict[str, Any]]] = {
    "read one key": ("/v3/kv/range", ONE),
    "read all of Kubernetes": ("/v3/kv/range", REGISTRY),
    "read everything": ("/v3/kv/range", EVERYTHING),
    "count everything": ("/v3/kv/range", {**EVERYTHING, "count_only": True}),
    "read from the overlay's first key on": ("/v3/kv/range", {"key": encode(f"{PREFIX}/"), "range_end": encode(b"\0")}),
    "read the prefix without its slash": ("/v3/kv/range", {"key": encode(PREFIX)}),
    "write": ("/v3/kv/put", {**ONE, "value": text("x")}),
    "delete one key": ("/v3/kv/deleterange", ONE),
    "delete everything": ("/v3/kv/deleterange", EVERYTHING),
    "read in a transaction": ("/v3/kv/txn", {"success": [{"request_range": ONE}]}),
    "write in a transaction": ("/v3/kv/txn", {"success": [{"request_put": {**ONE, "value": text("x")}}]}),
    "write in a transaction's other branch": (
        "/v3/kv/txn",
        {
            "compare": [{"key": encode(f"{PREFIX}/no"), "target": "VERSION", "version": "7"}],
            "failure": [{"request_put": {**ONE, "value": text("x")}}],
        },
    ),
    "compare in a transaction": (
        "/v3/kv/txn",
        {"compare": [{**ONE, "target": "VALUE", "value": text("guess"), "result": "EQUAL"}], "success": []},
    ),
    "list users": ("/v3/auth/user/list", {}),
    "list roles": ("/v3/auth/role/list", {}),
    "add a user": ("/v3/auth/user/add", {"name": "eve", "password": "eve"}),
    "take root's role": ("/v3/auth/user/grant", {"user": OVERLAY_USER, "role": "root"}),
    "widen its role": (
        "/v3/auth/role/grant",
        {"name": "overlay", "perm": {"permType": "READWRITE", **EVERYTHING}},
    ),
    "switch users off": ("/v3/auth/disable", {}),
    "copy the whole store": ("/v3/maintenance/snapshot", {}),
    "add a member": ("/v3/cluster/member/add", {"peerURLs": ["https://127.0.0.1:1"]}),
    "move the leader": ("/v3/maintenance/transfer-leadership", {"targetID": "1"}),
}


@pytest.mark.parametrize("password", [True, False], ids=["with password", "without password"])
@pytest.mark.parametrize(("path", "body"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_gateway_refuses_to(intruder: Intruder, path: str, body: dict[str, Any], password: bool) -> None:
    with pytest.raises(StoreTrouble, match="permission denied|user name is empty|PermissionDenied|invalid auth"):
        answer = intruder.client(password=password).call(path, body)
        assert SECRET_VALUE not in json.dumps(answer)


@pytest.mark.parametrize("password", [True, False], ids=["with password", "without password"])
def test_the_gateway_refuses_to_watch_kubernetes(intruder: Intruder, password: bool) -> None:
    client = intruder.client(password=password)
    try:
        stream = client.watch("/registry/", 1)
    except StoreTrouble:
        return
    line = stream.line(5)
    stream.close()
    assert line is not None
    assert "permission denied" in line.decode().lower()
    assert text(SECRET_VALUE) not in line.decode()


@pytest.mark.parametrize("password", [True, False], ids=["with password", "without password"])
def test_a_lease_of_kubernetes_cannot_be_ended(intruder: Intruder, password: bool) -> None:
    granted = intruder.server.ctl("lease", "grant", "600").split()[1]
    intruder.server.ctl("put", SECRET_KEY, SECRET_VALUE, "--lease", granted)
    with pytest.raises(StoreTrouble, match="permission denied|user name is empty"):
        intruder.client(password=password).revoke(str(int(granted, 16)))


GRPC = [
    ("get", SECRET_KEY),
    ("get", "--prefix", ""),
    ("put", SECRET_KEY, "x"),
    ("del", SECRET_KEY),
    ("user", "list"),
    ("role", "grant-permission", "--prefix=true", "overlay", "readwrite", ""),
    ("snapshot", "save", "/dev/null"),
]


@pytest.mark.parametrize("user", ["", f"{OVERLAY_USER}:{OVERLAY_PASSWORD}"], ids=["certificate alone", "password"])
@pytest.mark.parametrize("arguments", GRPC, ids=[" ".join(arguments[:2]) for arguments in GRPC])
def test_grpc_refuses_to(intruder: Intruder, arguments: tuple[str, ...], user: str) -> None:
    done = intruder.server.attempt(*arguments, certificate=intruder.certificate, user=user)
    assert done.returncode != 0
    assert SECRET_VALUE not in done.stdout + done.stderr
    assert "permission denied" in done.stderr or "user name is empty" in done.stderr


def test_a_certificate_that_names_the_overlays_user_has_no_more_rights_than_he(intruder: Intruder) -> None:
    named = intruder.server.issuer.issue(OVERLAY_USER)
    refused = intruder.server.attempt("get", SECRET_KEY, certificate=named)
    assert refused.returncode != 0
    assert "permission denied" in refused.stderr


def test_root_cannot_be_guessed_from_the_overlays_password(intruder: Intruder) -> None:
    done = intruder.server.attempt("get", SECRET_KEY, certificate=intruder.certificate, user=f"root:{OVERLAY_PASSWORD}")
    assert done.returncode != 0
    assert OVERLAY_PASSWORD not in ROOT


def test_nobody_without_a_certificate_gets_in(intruder: Intruder) -> None:
    context = tls_context(intruder.settings.tls) if intruder.settings.tls else None
    assert context is not None
    import ssl  # noqa: PLC0415

    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(str(intruder.server.issuer.file))
    with pytest.raises(OSError, match=r"certificate required|alert|closed|reset"):
        Connection(intruder.server.address, intruder.server.ports[0], bare).request("POST", "/v3/kv/range", b"{}", {})


def test_the_overlays_own_keys_are_open_to_it(intruder: Intruder) -> None:
    client = intruder.client(password=True)
    lease = client.grant(60)
    key = f"{PREFIX}/subnets/10.200.5.0-24"
    assert client.put_if({"target": "VERSION", "version": "0"}, key, b"{}", lease) is not None
    assert [item.key for item in client.list(f"{PREFIX}/").items] == [key]
