"""Issued certificates in real TLS handshakes, and before the strictest eyes of OpenSSL."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve, frozen

from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.authority import issue
from kubo_sdk.ports.credentials import Certificate, CertificateParameters

NOW = datetime.now(UTC)
CA = CertificateParameters(common_name="kubo-ca", is_ca=True)
SERVER = CertificateParameters(
    common_name="server",
    alternative_names=("127.0.0.1", "localhost"),
    key_usage=("digital_signature", "key_encipherment"),
    extended_key_usage=("server_auth",),
    ca="/ca",
)
CLIENT = CertificateParameters(
    common_name="client", organization="people", extended_key_usage=("client_auth",), ca="/ca"
)


@frozen(kw_only=True)
class People:
    ca: Certificate
    server: Certificate
    client: Certificate


def make(algorithm: KeyAlgorithm, now: datetime = NOW) -> People:
    ca = issue(CA, now=now, algorithm=algorithm)
    return People(
        ca=ca,
        server=issue(SERVER, now=now, algorithm=algorithm, ca=ca),
        client=issue(CLIENT, now=now, algorithm=algorithm, ca=ca),
    )


@pytest.fixture(scope="module")
def people() -> People:
    return make(KeyAlgorithm.ECDSA_P256)


@pytest.fixture(scope="module")
def strangers() -> People:
    return make(KeyAlgorithm.ECDSA_P256)


@pytest.fixture
def shake(tmp_path: Path) -> Callable[..., str]:
    """Do a handshake both ways and exchange a byte; answers the client's common name as the server saw it."""

    def context(purpose: ssl._SSLMethod, own: Certificate, trusted: str) -> ssl.SSLContext:
        made = ssl.SSLContext(purpose)
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata=trusted)
        file = tmp_path / "own.pem"
        file.write_text(own.private_key.reveal() + own.certificate)
        made.load_cert_chain(file)
        return made

    def serve(listener: socket.socket, server: ssl.SSLContext, seen: list[str]) -> None:
        try:
            plain, _ = listener.accept()
            with server.wrap_socket(plain, server_side=True) as stream:
                subject = dict(part[0] for part in stream.getpeercert()["subject"])
                stream.sendall(stream.recv(1))
                seen.append(subject["commonName"])
        except OSError as error:
            seen.append(str(error))

    def shake(
        server: Certificate, client: Certificate, *, server_trusts: str, client_trusts: str, name: str = "localhost"
    ) -> str:
        seen: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(10)
            served = context(ssl.PROTOCOL_TLS_SERVER, server, server_trusts)
            thread = threading.Thread(target=serve, args=(listener, served, seen))
            thread.start()
            try:
                trusting = context(ssl.PROTOCOL_TLS_CLIENT, client, client_trusts)
                plain = socket.create_connection(listener.getsockname(), timeout=10)
                with plain, trusting.wrap_socket(plain, server_hostname=name) as stream:
                    stream.sendall(b"x")
                    if stream.recv(1) != b"x":
                        raise ssl.SSLError("the server hung up")
            finally:
                thread.join()
        return seen[0]

    return shake


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_2048])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_both_sides_accept_each_other(shake, algorithm: KeyAlgorithm, name: str) -> None:
    made = make(algorithm)
    assert (
        shake(made.server, made.client, server_trusts=made.client.ca, client_trusts=made.server.ca, name=name)
        == "client"
    )


def test_a_server_of_another_authority_is_refused(shake, people: People, strangers: People) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(strangers.server, people.client, server_trusts=people.ca.ca, client_trusts=people.ca.ca)


def test_a_client_of_another_authority_is_refused(shake, people: People, strangers: People) -> None:
    with pytest.raises(OSError, match=r"(?i)unknown ca|hung up|reset|decrypt|broken pipe|eof"):
        shake(people.server, strangers.client, server_trusts=people.ca.ca, client_trusts=people.ca.ca)


@pytest.mark.parametrize("name", ["kubernetes.default", "127.0.0.2"])
def test_a_server_that_has_not_the_name_is_refused(shake, people: People, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        shake(people.server, people.client, server_trusts=people.ca.ca, client_trusts=people.ca.ca, name=name)


def test_a_client_certificate_cannot_serve(shake, people: People) -> None:
    impostor = issue(evolve(CLIENT, alternative_names=("localhost",)), now=NOW, ca=people.ca)
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        shake(impostor, people.client, server_trusts=people.ca.ca, client_trusts=people.ca.ca)


def test_a_leaf_cannot_sign(shake, people: People) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(people.server, people.client, server_trusts=people.ca.ca, client_trusts=people.client.certificate)


def test_an_expired_certificate_is_refused(shake, people: People) -> None:
    past = NOW - timedelta(days=2)
    old_ca = issue(CA, now=past)
    expired = issue(evolve(SERVER, duration_days=1), now=past, ca=old_ca)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake(expired, people.client, server_trusts=people.ca.ca, client_trusts=old_ca.ca)


def test_a_clock_that_is_four_minutes_behind_is_no_trouble(shake) -> None:
    ahead = make(KeyAlgorithm.ECDSA_P256, now=NOW + timedelta(minutes=4))
    assert shake(ahead.server, ahead.client, server_trusts=ahead.ca.ca, client_trusts=ahead.ca.ca) == "client"


def test_during_a_rotation_old_and_new_accept_each_other(shake, people: People) -> None:
    new_ca = issue(CA, now=NOW)
    rotating = evolve(new_ca, ca=new_ca.ca + people.ca.ca)
    new = issue(SERVER, now=NOW, ca=rotating)
    assert shake(new, people.client, server_trusts=new.ca, client_trusts=new.ca) == "client"
    assert shake(people.server, people.client, server_trusts=new.ca, client_trusts=new.ca) == "client"


def test_an_intermediate_authoritys_leaf_is_accepted_with_its_bundle(shake, people: People) -> None:
    middle = issue(evolve(CA, common_name="middle", ca="/ca"), now=NOW, ca=people.ca)
    server = issue(SERVER, now=NOW, ca=middle)
    assert shake(server, people.client, server_trusts=people.ca.ca, client_trusts=server.ca) == "client"


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_2048])
def test_openssl_finds_nothing_wrong_when_strict(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    made = make(algorithm)
    (tmp_path / "ca.pem").write_text(made.ca.certificate)
    for leaf, purpose in ((made.server, "sslserver"), (made.client, "sslclient")):
        (tmp_path / "leaf.pem").write_text(leaf.certificate)
        command = ["openssl", "verify", "-x509_strict", "-policy_check", "-purpose", purpose, "-CAfile", "ca.pem"]
        done = subprocess.run([*command, "leaf.pem"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, "leaf.pem: OK"), done.stderr
