"""The HAProxy ingress: what it puts on a proxy, and real traffic through a real HAProxy with that configuration."""

from __future__ import annotations

import http.server
import secrets
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import define, evolve, field

from kubo_sdk.builtin.haproxy_config import CLUSTER_CA, CONFIG, REFUSALS, STATS_SOCKET, HaproxyConfig, haproxy_config
from kubo_sdk.builtin.haproxy_ingress import HaproxyIngress
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Role
from kubo_sdk.model.release import Release
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.pki.authority import issue
from kubo_sdk.ports.credentials import Certificate, CertificateParameters
from kubo_sdk.ports.ingress import Backend, Endpoint, EndpointRequest, Health
from kubo_sdk.ports.node import NodeContext

API_PORT, FIRST_NODE_PORT, LAST_NODE_PORT = 8443, 30000, 32767


def authority() -> Certificate:
    usage = ("key_cert_sign", "crl_sign")
    return issue(CertificateParameters(common_name="test-ca", is_ca=True, key_usage=usage), now=datetime.now(UTC))


def endpoints(masters: dict[str, str], workers: dict[str, str]) -> tuple[EndpointRequest, EndpointRequest]:
    def backends(machines: dict[str, str]) -> tuple[Backend, ...]:
        return tuple(Backend(instance=instance, address=address) for instance, address in machines.items())

    return (
        EndpointRequest(name="api", ports=(API_PORT, API_PORT), backends=backends(masters), health=Health.HTTPS_READYZ),
        EndpointRequest(
            name="services",
            ports=(FIRST_NODE_PORT, LAST_NODE_PORT),
            backends=backends(workers),
            health=Health.KUBE_PROXY,
        ),
    )


def context(role: Role) -> NodeContext:
    spec = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
    return NodeContext(
        spec=spec,
        instance=spec.instances(role)[0],
        address="10.0.0.9",
        addresses={},
        node_name="10.0.0.9",
        provider_id="local://proxy-0",
        api=Endpoint(name="api", host="10.0.0.9", port=API_PORT),
        endpoints=endpoints({"master/0": "10.0.0.1", "master/1": "10.0.0.2"}, {"worker/0": "10.0.0.3"}),
        release=Release(
            version=spec.kubernetes.version,
            source="directory",
            digest="d",
            tree=Path("/nowhere"),
            etcd_version="3.4.23",
            pause_image="pause",
        ),
        ca="-----BEGIN CERTIFICATE-----",
        credentials={},
    )


def test_an_endpoint_is_at_the_first_proxy_that_has_an_address() -> None:
    request = evolve(
        endpoints({}, {})[1],
        proxies=(Backend(instance="proxy/0", address=""), Backend(instance="proxy/1", address="10.0.0.8")),
    )
    ingress = HaproxyIngress(HaproxyConfig())
    assert ingress.ensure_endpoint(request) == Endpoint(name="services", host="10.0.0.8", port=FIRST_NODE_PORT)
    with pytest.raises(NotFound, match="endpoint 'services' needs a proxy"):
        ingress.ensure_endpoint(evolve(request, proxies=()))


def test_only_proxies_get_files() -> None:
    ingress = HaproxyIngress(HaproxyConfig())
    assert ingress.node_files(context(Role.WORKER)).files == ()
    files = {file.path: file.content for file in ingress.node_files(context(Role.PROXY)).files}
    assert set(files) == {CLUSTER_CA, CONFIG, REFUSALS}
    assert files[CLUSTER_CA] == context(Role.PROXY).ca


def test_haproxy_reads_changed_files_without_a_restart_and_never_runs_as_root() -> None:
    unit, watch, reload = HaproxyIngress(HaproxyConfig(open_files=9999)).node_files(context(Role.PROXY)).units
    assert unit.restart_on == (REFUSALS,)
    assert f"\nPathChanged={CONFIG}\nPathChanged={CLUSTER_CA}\n" in watch.text
    assert f"systemctl try-reload-or-restart {unit.name}" in reload.text
    assert "\nUser=haproxy\n" in unit.text
    assert "\nLimitNOFILE=9999\n" in unit.text
    assert "Capabilities" not in unit.text


def test_a_privileged_port_is_bound_by_capability() -> None:
    wished = context(Role.PROXY)
    low = evolve(wished, endpoints=(evolve(wished.endpoints[0], ports=(443, 443)),))
    unit, *_ = HaproxyIngress(HaproxyConfig()).node_files(low).units
    assert "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in unit.text


def test_the_units_are_such_that_systemd_understands(tmp_path) -> None:
    units = HaproxyIngress(HaproxyConfig()).node_files(context(Role.PROXY)).units
    for unit in units:
        (tmp_path / unit.name).write_text(unit.text)
    places = [str(tmp_path / unit.name) for unit in units]
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *places], capture_output=True, text=True, check=False
    )
    assert verified.stderr == ""


@pytest.mark.parametrize("option", ["check_interval_ms", "open_files", "threads"])
def test_an_option_that_makes_no_sense_is_refused(option) -> None:
    with pytest.raises(ValueError, match=option):
        HaproxyConfig(**{option: 0})


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, body = self.server.machine.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@define
class Machine:
    """A master or a worker: it tells its name to whoever asks, and its health as the test wishes."""

    host: str
    healthy: bool = True
    ailment: bytes = b"[+]ping ok\n[-]etcd failed: reason withheld\nhealthz check failed\n"
    servers: dict[int, _Server] = field(factory=dict)

    def answer(self, path: str) -> tuple[int, bytes]:
        if path in ("/readyz", "/healthz"):
            return (200, b"ok") if self.healthy else (500, self.ailment)
        return 200, self.host.encode()

    def listen(self, port: int, identity: ssl.SSLContext | None = None) -> None:
        server = self.servers[port] = _Server((self.host, port), _Answer)
        server.machine = self
        if identity is not None:
            server.socket = identity.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        while self.servers:
            server = self.servers.popitem()[1]
            server.shutdown()
            server.server_close()


class Cluster:
    """Two masters, two workers and a proxy on loopback addresses of the test's own."""

    def __init__(self, directory: Path) -> None:
        network = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}"
        self.proxy = f"{network}.9"
        self.masters = [Machine(f"{network}.1"), Machine(f"{network}.2")]
        self.workers = [Machine(f"{network}.3"), Machine(f"{network}.4")]
        self.ca = authority()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def identity(self, machine: Machine, ca: Certificate | None = None) -> ssl.SSLContext:
        """The API server's certificate on *machine*, by the cluster's authority unless another is given."""
        parameters = CertificateParameters(
            common_name="kube-apiserver",
            alternative_names=("kubernetes.default.svc", machine.host),
            extended_key_usage=("server_auth",),
            ca="ca",
        )
        made = issue(parameters, now=datetime.now(UTC), ca=ca or self.ca)
        pem = self._directory / f"{machine.host}.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(made.certificate.encode() + made.private_key.reveal_bytes())
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        return server

    def config(self, config: HaproxyConfig) -> str:
        """The file as rendered, but with the proxy's address and the test's own paths."""
        ca, stats = self._directory / "ca.pem", self._directory / "admin.sock"
        ca.write_text(self.ca.ca)
        masters = {f"master/{index}": machine.host for index, machine in enumerate(self.masters)}
        workers = {f"worker/{index}": machine.host for index, machine in enumerate(self.workers)}
        text = haproxy_config(config, endpoints(masters, workers))
        return (
            text.replace(CLUSTER_CA, str(ca)).replace(STATS_SOCKET, str(stats)).replace("bind :", f"bind {self.proxy}:")
        )

    def start_proxy(self, change: Callable[[str], str] = lambda text: text) -> None:
        path = self._directory / "haproxy.cfg"
        path.write_text(change(self.config(HaproxyConfig())))
        with (self._directory / "haproxy.log").open("wb") as log:
            self._process = subprocess.Popen(["haproxy", "-db", "-f", path], stdout=log, stderr=log)

        def listening() -> bool | None:
            with socket.socket() as probe:
                return probe.connect_ex((self.proxy, API_PORT)) == 0 or None

        wait_until(listening, what="haproxy", timeout=10, interval=0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for machine in self.masters + self.workers:
            machine.stop()

    def connect(self, port: int = API_PORT) -> http.client.HTTPConnection:
        if port != API_PORT:
            return http.client.HTTPConnection(self.proxy, port, timeout=5)
        trusting = ssl.create_default_context(cadata=self.ca.ca)
        trusting.check_hostname = False
        return http.client.HTTPSConnection(self.proxy, port, timeout=5, context=trusting)

    def ask(self, port: int = API_PORT) -> str | None:
        """Who answers a new connection to the proxy; None when nobody does."""
        connection = self.connect(port)
        try:
            return answered(connection)
        finally:
            connection.close()

    def until(self, expected: set[str | None], port: int = API_PORT) -> float:
        """The seconds until six new connections in a row are answered by *expected* alone, and by all of them."""
        started = time.monotonic()

        def settled() -> bool | None:
            return {self.ask(port) for _ in range(6)} == expected or None

        wait_until(settled, what=f"answers from {expected}", timeout=10, interval=0.02)
        return time.monotonic() - started


def who(connection: http.client.HTTPConnection) -> str:
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


def answered(connection: http.client.HTTPConnection) -> str | None:
    """Who answers on a connection that is open already; None when it was closed."""
    try:
        return who(connection)
    except (OSError, http.client.HTTPException):
        return None


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        cluster = Cluster(tmp_path)
        stack.callback(cluster.stop)
        yield cluster


def test_haproxy_has_nothing_to_say_against_the_configuration(cluster, tmp_path) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_text(cluster.config(HaproxyConfig(threads=2)))
    checked = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "Configuration file is valid\n")


def test_the_api_is_reached_as_soon_as_one_master_is_ready(cluster) -> None:
    first, second = cluster.masters
    cluster.start_proxy()
    assert cluster.until({None}) < 3
    first.healthy = False
    first.listen(API_PORT, cluster.identity(first))
    second.listen(API_PORT, cluster.identity(second))
    assert cluster.until({second.host}) < 2
    first.healthy = True
    assert cluster.until({first.host, second.host}) < 2


def test_a_master_that_is_not_ready_any_more_loses_its_traffic_and_its_open_connections(cluster) -> None:
    first, second = cluster.masters
    for machine in cluster.masters:
        machine.listen(API_PORT, cluster.identity(machine))
    cluster.start_proxy()
    cluster.until({first.host, second.host})
    kept = [cluster.connect() for _ in range(4)]
    assert {who(connection) for connection in kept} == {first.host, second.host}
    for connection in kept:
        connection.auto_open = 0
    first.healthy = False
    assert cluster.until({second.host}) < 3
    assert first.host not in [answered(connection) for connection in kept]
    for connection in kept:
        connection.close()


def test_a_master_that_shuts_down_gets_no_new_connection_and_keeps_those_it_has(cluster) -> None:
    first, second = cluster.masters
    first.ailment = b"[+]ping ok\n[+]etcd ok\n[-]shutdown failed: reason withheld\nhealthz check failed\n"
    for machine in cluster.masters:
        machine.listen(API_PORT, cluster.identity(machine))
    cluster.start_proxy()
    cluster.until({first.host, second.host})
    kept = [cluster.connect() for _ in range(4)]
    hosts = [who(connection) for connection in kept]
    for connection in kept:
        connection.auto_open = 0
    first.healthy = False
    cluster.until({second.host})
    assert [answered(connection) for connection in kept] == hosts
    for connection in kept:
        connection.close()


def test_a_master_that_dies_costs_at_most_the_connection_that_is_being_made_when_it_is_marked_down(cluster) -> None:
    """A refused connection goes to the other master.  Marking the dead one down ends what is under way to it."""
    first, second = cluster.masters
    for machine in cluster.masters:
        machine.listen(API_PORT, cluster.identity(machine))
    cluster.start_proxy()
    cluster.until({first.host, second.host})
    first.stop()
    answers = [cluster.ask() for _ in range(30)]
    assert set(answers) - {None} == {second.host}
    assert answers.count(None) <= 1


def test_a_server_of_another_authority_gets_no_traffic(cluster) -> None:
    first, second = cluster.masters
    first.listen(API_PORT, cluster.identity(first, ca=authority()))
    second.listen(API_PORT, cluster.identity(second))
    cluster.start_proxy()
    assert cluster.until({second.host}) < 3


@pytest.mark.parametrize("port", [FIRST_NODE_PORT, 31234, LAST_NODE_PORT])
def test_a_node_port_leads_to_the_same_port_of_the_workers_that_are_well(cluster, port) -> None:
    first, second = cluster.workers
    for machine in cluster.workers:
        machine.listen(port)
        machine.listen(10256)
    cluster.start_proxy()
    cluster.until({first.host, second.host}, port)
    second.healthy = False
    assert cluster.until({first.host}, port) < 3


def test_a_silent_connection_outlives_the_timeouts_of_connecting(cluster) -> None:
    (machine, _) = cluster.masters
    machine.listen(API_PORT, cluster.identity(machine))

    def impatient(text: str) -> str:
        return text.replace("timeout client 60s", "timeout client 300ms").replace(
            "timeout server 60s", "timeout server 300ms"
        )

    cluster.start_proxy(impatient)
    cluster.until({machine.host})
    connection = cluster.connect()
    assert who(connection) == machine.host
    connection.auto_open = 0
    connection.sock.settimeout(1.0)
    with pytest.raises(TimeoutError):
        connection.sock.recv(1)
    connection.sock.settimeout(5.0)
    assert who(connection) == machine.host
    connection.close()
