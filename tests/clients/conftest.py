"""Real servers for the clients: a throw-away authority, three etcd members with mutual TLS, one kube-apiserver."""

from __future__ import annotations

import datetime
import ipaddress
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubo_sdk.clients.connection import Address
from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.model.secret import Secret

APISERVER_CN = "kube-apiserver-etcd-client"
# Passwords of 30 random characters need no slow hash; the default costs 60 ms of CPU each time.
ETCD_FLAGS = ("--bcrypt-cost=4",)


@frozen(kw_only=True)
class Identity:
    """A certificate and its key, as PEM and as files."""

    certificate: str
    key: Secret
    certificate_file: Path
    key_file: Path


class Authority:
    """A CA that lives as long as the test."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test-ca")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._certificate = (
            self._builder(name, self._key)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_text(self.ca)

    def issue(self, name: str, *hosts: str, organization: str = "") -> Identity:
        """A certificate for both ends of a connection, valid for *hosts* (names and addresses).

        An empty *name* leaves the common name out.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [
            x509.NameAttribute(kind, text)
            for kind, text in ((NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, organization))
            if text
        ]
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            self._builder(x509.Name(subject), key)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(_general_name, hosts)), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._on_disk(f"{name}-{secrets.token_hex(4)}", certificate, private)

    def _on_disk(self, stem: str, certificate: bytes, private: bytes) -> Identity:
        certificate_file, key_file = self._directory / f"{stem}.pem", self._directory / f"{stem}.key"
        certificate_file.write_bytes(certificate)
        key_file.touch(mode=0o600)
        key_file.write_bytes(private)
        return Identity(
            certificate=certificate.decode(), key=Secret(private), certificate_file=certificate_file, key_file=key_file
        )

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
        )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class EtcdCluster:
    """Members on loopback addresses nobody else uses, port 2379."""

    def __init__(self, directory: Path, authority: Authority, size: int, *flags: str) -> None:
        self.authority = authority
        base = _loopback_prefix()
        self.hosts = tuple(f"{base}.{index + 1}" for index in range(size))
        # With authentication on, the gateway refuses every client certificate that has a common name.
        self.director = authority.issue("", organization="director")
        self._directory = directory
        self._flags = flags
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def endpoints(self) -> tuple[Address, ...]:
        return tuple((host, 2379) for host in self.hosts)

    def https(self, *endpoints: Address, timeout: float = 5.0) -> HttpsClient:
        director = self.director
        where = endpoints or self.endpoints
        return HttpsClient(where, self.authority.ca, director.certificate, director.key, timeout)

    def client(self, *endpoints: Address, timeout: float = 5.0) -> EtcdClient:
        return EtcdClient(self.https(*endpoints, timeout=timeout))

    def start(self, *hosts: str) -> None:
        """Start the members (all by default) and wait until each answers."""
        for host in hosts or self.hosts:
            self._processes[host] = self._spawn(host)
        client = self.client()
        for host in hosts or self.hosts:
            wait_until(lambda host=host: client.healthy(host) or None, what=f"etcd on {host}", timeout=30)

    def kill(self, host: str) -> None:
        process = self._processes.pop(host)
        process.kill()
        process.wait()

    def is_running(self, host: str) -> bool:
        return host in self._processes

    def stop(self) -> None:
        for host in tuple(self._processes):
            self.kill(host)

    def log(self, host: str) -> str:
        return (self._directory / f"{host}.log").read_text(errors="replace")

    def _spawn(self, host: str) -> subprocess.Popen[bytes]:
        # A peer is believed only if its certificate holds the address it calls from.
        server = self.authority.issue("etcd", host, "127.0.0.1")
        tls = {"cert-file": server.certificate_file, "key-file": server.key_file}
        flags = {
            "name": host,
            "data-dir": self._directory / host,
            "initial-cluster": ",".join(f"{name}=https://{name}:2380" for name in self.hosts),
            "initial-advertise-peer-urls": f"https://{host}:2380",
            "listen-peer-urls": f"https://{host}:2380",
            "listen-client-urls": f"https://{host}:2379",
            "advertise-client-urls": f"https://{host}:2379",
            "trusted-ca-file": self.authority.ca_file,
            "peer-trusted-ca-file": self.authority.ca_file,
            **tls,
            **{f"peer-{name}": value for name, value in tls.items()},
        }
        command = ["etcd", *(f"--{name}={value}" for name, value in flags.items())]
        command += ["--client-cert-auth", "--peer-client-cert-auth", *self._flags]
        with (self._directory / f"{host}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self._directory)


class ApiServer:
    """One real kube-apiserver, whose etcd lets it in by the common name of its certificate."""

    def __init__(self, binaries: Path, directory: Path, authority: Authority, etcd: EtcdCluster) -> None:
        self.host = f"{_loopback_prefix()}.1"
        self.authority = authority
        self.admin = authority.issue("kubernetes-admin", organization="system:masters")
        self._binary = binaries / "kube-apiserver"
        self._directory = directory
        self._etcd = etcd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self._directory / "kube-apiserver.log").read_text(errors="replace")

    def https(self) -> HttpsClient:
        return HttpsClient([(self.host, 8443)], self.authority.ca, self.admin.certificate, self.admin.key)

    def start(self, *extra: str) -> KubernetesClient:
        """Start it and wait until it is ready."""
        server = self.authority.issue("kube-apiserver", self.host, "kubernetes.default.svc")
        client = self.authority.issue(APISERVER_CN)
        flags = {
            "etcd-servers": ",".join(f"https://{host}:{port}" for host, port in self._etcd.endpoints),
            "etcd-cafile": self._etcd.authority.ca_file,
            "etcd-certfile": client.certificate_file,
            "etcd-keyfile": client.key_file,
            "bind-address": self.host,
            "secure-port": 8443,
            "advertise-address": "192.0.2.1",
            "endpoint-reconciler-type": "none",
            "cert-dir": self._directory,
            "tls-cert-file": server.certificate_file,
            "tls-private-key-file": server.key_file,
            "client-ca-file": self.authority.ca_file,
            "authorization-mode": "Node,RBAC",
            "service-cluster-ip-range": "10.100.200.0/24",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": server.certificate_file,
            "service-account-signing-key-file": server.key_file,
        }
        command = [str(self._binary), *(f"--{name}={value}" for name, value in flags.items()), *extra]
        with (self._directory / "kube-apiserver.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        kubernetes = KubernetesClient(self.https())
        wait_until(lambda: self._is_running() and (kubernetes.ready() or None), what="kube-apiserver", timeout=60)
        assert self._process.poll() is None, self.log[-2000:]
        return kubernetes

    def _is_running(self) -> bool | None:
        """False once the process has ended, which ends the wait; None never."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _is_program(path: Path) -> bool:
    """Not the few bytes that releases of the fakes have."""
    return path.is_file() and path.stat().st_size > 1 << 20


@pytest.fixture(scope="session")
def binaries() -> Path:
    """Where the Kubernetes programs are: KUBO_TEST_BIN, or the newest release in the cache."""
    cache = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
    cached = sorted(cache.glob("releases/*/bin"), key=lambda path: path.stat().st_mtime)
    for directory in (*map(Path, filter(None, [os.environ.get("KUBO_TEST_BIN")])), *reversed(cached)):
        if _is_program(directory / "kube-apiserver"):
            return directory
    pytest.skip("no kube-apiserver; name its directory in KUBO_TEST_BIN")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def other_authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[EtcdCluster]:
    """Three members, shared by the tests of one file."""
    cluster = EtcdCluster(tmp_path_factory.mktemp("etcd"), authority, 3, *ETCD_FLAGS)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def start_apiserver(
    binaries: Path, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[Callable[..., ApiServer]]:
    """Start API servers on an etcd, with flags of the test's own; all are gone after the file."""
    with ExitStack() as stack:

        def start(etcd: EtcdCluster, *flags: str) -> ApiServer:
            server = ApiServer(binaries, tmp_path_factory.mktemp("apiserver"), authority, etcd)
            stack.callback(server.stop)
            server.start(*flags)
            return server

        yield start


def _loopback_prefix() -> str:
    """Three bytes of 127/8 for this test alone, so that tests may run beside each other."""
    first, second = secrets.randbelow(254) + 1, secrets.randbelow(254) + 1
    return f"127.{first}.{second}"
