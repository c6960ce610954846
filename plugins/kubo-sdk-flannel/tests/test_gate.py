"""Nothing on a worker can read or write Kubernetes' own keys in etcd (CVE-2019-3779), whichever door it tries.

Real etcd, real gate, and an intruder who owns a worker: he has its certificate, its key and all the time in the world.
"""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kubo_sdk_flannel.agent.admission import GRANT, RANGE
from kubo_sdk_flannel.agent.etcd import Etcd, encode, range_end
from kubo_sdk_flannel.agent.gate import CONNECTIONS_PER_WORKER, LARGEST_REQUEST
from kubo_sdk_flannel.agent.http import Connection, Credentials, tls_context
from kubo_sdk_flannel.agent.settings import EtcdSettings
from kubo_sdk_flannel.agent.trouble import Refused, StoreTrouble
from kubo_sdk_flannel.agent.wire import Lease, lease_key, lease_value

from .lab.datacentre import PREFIX
from .lab.etcd_server import OVERLAY_PASSWORD, OVERLAY_USER, DirectorEtcd, EtcdServer, free_ports
from .lab.gate_server import GateServer
from .lab.namespaces import Place, wait_for

SECRET_KEY, SECRET_VALUE = "/registry/secrets/kube-system/token", "a-secret-of-kubernetes"
SUBNET = IPv4Network("10.200.5.0/24")
KEY, VALUE = lease_key(PREFIX, SUBNET), lease_value(Lease(SUBNET, "192.0.2.7", "vxlan", 1, "02:00:00:00:00:07"))
ABSENT = {"target": "VERSION", "version": "0"}


class Intruder(NamedTuple):
    """Somebody on a worker."""

    etcd: EtcdServer
    gate: GateServer
    files: Credentials
    clients: list[Etcd]

    def client(self) -> Etcd:
        client = Etcd(EtcdSettings((self.gate.url,), PREFIX, self.files, ""))
        self.clients.append(client)
        return client

    def connect(self, port: int) -> Connection:
        """A connection whose handshake has been seen through to its end."""
        return Connection(self.etcd.address, port, tls_context(self.files))


@pytest.fixture(scope="module")
def gates(local_etcd: EtcdServer, agent: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateServer]:
    place = Place()
    (port,) = free_ports(1)
    gate = GateServer(place, tmp_path_factory.mktemp("gate"), agent, local_etcd, port)
    try:
        gate.start()
        yield gate
    finally:
        place.close()


@pytest.fixture
def intruder(local_etcd: EtcdServer, gates: GateServer) -> Iterator[Intruder]:
    given = gates.worker_settings()["etcd"]
    clients: list[Etcd] = []
    local_etcd.ctl("put", SECRET_KEY, SECRET_VALUE)
    try:
        files = Credentials(given["ca"], given["certificate"], given["key"])
        yield Intruder(local_etcd, gates, files, clients)
        assert [item.value for item in DirectorEtcd(local_etcd).list("/registry/")] == [SECRET_VALUE.encode()]
        assert local_etcd.ctl("user", "list").split() == [OVERLAY_USER, "root"]
    finally:
        for client in clients:
            client.close()
        DirectorEtcd(local_etcd).clear()


def text(value: str) -> str:
    return b64encode(value.encode()).decode()


ONE = {"key": encode(SECRET_KEY)}
EVERYTHING = {"key": encode(b"\0"), "range_end": encode(b"\0")}
FORBIDDEN: dict[str, tuple[str, dict[str, Any]]] = {
    "read one key": (RANGE, ONE),
    "read all of Kubernetes": (RANGE, {"key": encode("/registry/"), "range_end": encode(range_end("/registry/"))}),
    "read everything": (RANGE, EVERYTHING),
    "read from flannel's first key on": (RANGE, {"key": encode(f"{PREFIX}/"), "range_end": encode(b"\0")}),
    "write": ("/v3/kv/put", {**ONE, "value": text("x")}),
    "delete everything": ("/v3/kv/deleterange", EVERYTHING),
    "read in a transaction": ("/v3/kv/txn", {"success": [{"request_range": ONE}]}),
    "read in a nested transaction": (
        "/v3/kv/txn",
        {"success": [{"request_txn": {"success": [{"request_range": ONE}]}}]},
    ),
    "compare a secret": (
        "/v3/kv/txn",
        {"compare": [{**ONE, "target": "VALUE", "value": text("guess")}], "success": []},
    ),
    "watch Kubernetes": ("/v3/watch", {"create_request": {**EVERYTHING, "start_revision": "1"}}),
    "log in": ("/v3/auth/authenticate", {"name": OVERLAY_USER, "password": OVERLAY_PASSWORD}),
    "list users": ("/v3/auth/user/list", {}),
    "change root's password": ("/v3/auth/user/changepw", {"name": "root", "password": "x"}),
    "switch users off": ("/v3/auth/disable", {}),
    "raise an alarm, which blinds etcd's own rules": (
        "/v3/maintenance/alarm",
        {"action": "ACTIVATE", "memberID": "0", "alarm": "NOSPACE"},
    ),
    "copy the whole store": ("/v3/maintenance/snapshot", {}),
    "compact": ("/v3/kv/compaction", {"revision": "2"}),
    "list members": ("/v3/cluster/member/list", {}),
    "list leases": ("/v3/lease/leases", {}),
}


@pytest.mark.parametrize(("path", "body"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_gate_does_not_let_a_worker(intruder: Intruder, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"is no request of flannel's|flannel asks|only flannel's whole network"):
        intruder.client().call(path, body)


@pytest.mark.parametrize("door", ["clients", "peers"])
def test_etcd_itself_does_not_even_finish_a_handshake_with_a_worker(intruder: Intruder, door: str) -> None:
    port = intruder.etcd.ports[0 if door == "clients" else 1]
    trusting = intruder.files._replace(ca=str(intruder.etcd.issuer.file))
    with (
        pytest.raises(OSError, match=r"alert|closed|reset|EOF") as refused,
        closing(Connection(intruder.etcd.address, port, tls_context(trusting))) as connection,
    ):
        connection.request("GET", "/version", b"", {})
    assert "timed out" not in str(refused.value)


def test_grpc_is_closed_to_a_worker_even_with_the_overlays_password(intruder: Intruder) -> None:
    files = (Path(intruder.files.certificate), Path(intruder.files.key))
    done = intruder.etcd.attempt("get", SECRET_KEY, certificate=files, user=f"{OVERLAY_USER}:{OVERLAY_PASSWORD}")
    assert done.returncode != 0
    assert SECRET_VALUE not in done.stdout


@pytest.mark.parametrize("name", ["system:node:10.0.0.1", "kubernetes-admin", ""])
def test_the_gate_is_open_to_agents_alone(intruder: Intruder, name: str) -> None:
    certificate, key = map(str, intruder.gate.issuer.issue(name, organization="system:nodes"))
    stranger = intruder._replace(files=intruder.files._replace(certificate=certificate, key=key))
    with pytest.raises(StoreTrouble, match="does not answer"):
        stranger.client().list(f"{PREFIX}/")


def test_the_gate_wants_a_certificate_of_the_clusters_own_ca(intruder: Intruder) -> None:
    certificate, key = map(str, intruder.etcd.issuer.issue("kubo:flannel"))
    stranger = intruder._replace(files=intruder.files._replace(certificate=certificate, key=key))
    with pytest.raises(StoreTrouble, match="does not answer"):
        stranger.client().list(f"{PREFIX}/")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(intruder.files.ca)
    with (
        pytest.raises(OSError, match=r"alert|closed|reset|EOF"),
        closing(Connection(intruder.etcd.address, intruder.gate.port, bare)) as connection,
    ):
        connection.request("POST", RANGE, b"{}", {})


def test_a_lease_of_kubernetes_can_neither_be_ended_nor_used(intruder: Intruder) -> None:
    foreign = str(int(intruder.etcd.ctl("lease", "grant", "600").split()[1], 16))
    client = intruder.client()
    with pytest.raises(Refused, match="was not granted here"):
        client.revoke(foreign)
    with pytest.raises(Refused, match="was not granted here"):
        client.put_if(ABSENT, KEY, VALUE, foreign)


def test_a_lease_that_carries_a_subnet_cannot_be_ended(intruder: Intruder) -> None:
    client = intruder.client()
    lease = client.grant(60)
    assert client.put_if(ABSENT, KEY, VALUE, lease)
    with pytest.raises(Refused, match="carries a subnet already"):
        client.revoke(lease)


def test_flannels_own_work_goes_through(intruder: Intruder) -> None:
    client = intruder.client()
    listing = client.list(f"{PREFIX}/")
    with closing(client.watch(f"{PREFIX}/", listing.revision + 1)) as watch:
        assert b'"created":true' in (watch.line(5) or b"")
        unused = client.grant(60)
        client.revoke(unused)
        revision = client.put_if(ABSENT, KEY, VALUE, client.grant(60))
        assert revision is not None
        assert client.put_if(ABSENT, KEY, VALUE, client.grant(60)) is None
        assert [item.key for item in client.list(f"{PREFIX}/").items] == [KEY]
        client.delete_if(revision, KEY)
        assert client.list(f"{PREFIX}/").items == ()
        events = [watch.line(5) or b"" for _ in range(2)]
    assert text(KEY).encode() in events[0]
    assert b'"DELETE"' in events[1]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"Content-Length: {LARGEST_REQUEST + 1}", b""),
        ("Content-Length: many", b"{}"),
        ("Content-Length: -1", b"{}"),
        ("Content-Length: 5", b"{[[[["),
        ("Content-Length: 0", b""),
        ("Content-Length: 7", b'"hello"'),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
    ],
)
def test_a_malformed_request_is_refused_and_the_gate_stays_open(intruder: Intruder, head: str, body: bytes) -> None:
    with tls_context(intruder.files).wrap_socket(
        socket.create_connection((intruder.etcd.address, intruder.gate.port), 5), server_hostname=intruder.etcd.address
    ) as raw:
        raw.sendall(f"POST {RANGE} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
        assert raw.recv(64).startswith(b"HTTP/1.1 403 ")
    assert intruder.client().list(f"{PREFIX}/").items == ()


def test_one_worker_cannot_hold_more_than_its_share_of_connections(intruder: Intruder) -> None:
    ask = ("POST", GRANT, b'{"TTL": 60}', dict[str, str]())
    held = [intruder.connect(intruder.gate.port) for _ in range(CONNECTIONS_PER_WORKER)]
    try:
        assert all(connection.request(*ask).status == 200 for connection in held)
        with pytest.raises(OSError, match=r"EOF|reset|closed"):
            intruder.connect(intruder.gate.port).request(*ask)
    finally:
        for connection in held:
            connection.close()
    wait_for(lambda: is_open(intruder), "the gate's next welcome")


def is_open(intruder: Intruder) -> bool:
    try:
        with closing(intruder.connect(intruder.gate.port)) as connection:
            return connection.request("POST", GRANT, b'{"TTL": 60}', {}).status == 200
    except OSError:
        return False


def test_the_gate_says_why_when_etcd_is_away_and_works_again_when_it_is_back(
    intruder: Intruder, local_etcd: EtcdServer
) -> None:
    client = intruder.client()
    assert client.list(f"{PREFIX}/").items == ()
    local_etcd.stop()
    try:
        with pytest.raises(StoreTrouble, match=f"etcd at {local_etcd.url} does not answer"):
            client.list(f"{PREFIX}/")
    finally:
        local_etcd.start()
    wait_for(lambda: lists(client), "etcd's answer through the gate")


def lists(client: Etcd) -> bool:
    try:
        return client.list(f"{PREFIX}/").items == ()
    except StoreTrouble:
        return False
