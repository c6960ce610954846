"""The client of NATS, against a real nats-server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from kubo_sdk_cfrouting.agent.nats_client import NatsClient
from kubo_sdk_cfrouting.agent.nats_protocol import Message
from kubo_sdk_cfrouting.agent.nats_session import Login, Server

from .routes_lab.nats_server import PASSWORD, USER, NatsServer
from .routes_lab.pki import Authority
from .routes_lab.process import free_ports, wait_for


class Ear:
    """Hears *subjects*, and says what it is given."""

    def __init__(self, *subjects: str) -> None:
        self.subjects = subjects
        self.said: list[Message] = []
        self.got: list[Message] = []
        self.opens = self.closes = 0

    def opened(self) -> Iterable[Message]:
        self.opens += 1
        return ()

    def closed(self) -> None:
        self.closes += 1

    def heard(self, message: Message) -> None:
        self.got.append(message)

    def due(self) -> Iterable[Message]:
        said, self.said = self.said, []
        return said


Connect = Callable[..., NatsClient]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "nats")


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[NatsServer]:
    made = NatsServer(tmp_path / "server", authority.leaf("nats", "127.0.0.1")).start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def connect() -> Iterator[Connect]:
    clients: list[NatsClient] = []

    def make(ear: Ear, login: Callable[[], Login], *servers: Server) -> NatsClient:
        clients.append(NatsClient(servers, login, ear))
        threading.Thread(target=clients[-1].run, daemon=True).start()
        return clients[-1]

    try:
        yield make
    finally:
        for client in clients:
            client.close()


def connected(client: NatsClient) -> None:
    wait_for(lambda: client.connected, f"the connection: {client.trouble}")


def test_what_one_says_another_hears_over_tls_with_certificates_and_a_password(
    server: NatsServer, authority: Authority, connect: Connect
) -> None:
    mouth, ear = Ear(), Ear("router.register", "other")
    client = authority.leaf("client")
    speaker = connect(mouth, lambda: server.login(client), server.address)
    connected(connect(ear, server.login, server.address))
    connected(speaker)
    large = b"x" * 500_000
    said = [Message("router.register", "", b'{"a":1}'), Message("other", "inbox.1", large)]
    mouth.said = [said[0], Message("nobody", "", b""), said[1]]
    assert speaker.flush(30)
    wait_for(lambda: len(ear.got) == 2, "both messages")
    assert ear.got == said


def test_what_one_says_itself_it_does_not_hear(server: NatsServer, connect: Connect) -> None:
    ear = Ear("router.register")
    client = connect(ear, server.login, server.address)
    connected(client)
    ear.said = [Message("router.register", "", b"{}")]
    assert client.flush(30)
    assert ear.got == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong"}, "says 'Authorization Violation'; check username and password"),
        ({"tls": None}, "wants TLS; leave out nats.plain"),
        ({"server_name": "nats.example.com"}, "is not accepted: Hostname mismatch"),
    ],
)
def test_a_login_that_is_wrong_is_told_in_one_sentence(server: NatsServer, connect: Connect, change, said: str) -> None:
    client = connect(Ear(), lambda: server.login()._replace(**change), server.address)
    wait_for(lambda: said in client.trouble, f"{said!r}")
    assert PASSWORD not in client.trouble


def test_a_server_of_another_authority_is_not_believed(server: NatsServer, tmp_path: Path, connect: Connect) -> None:
    other = Authority(tmp_path / "server", "other").leaf("client")
    client = connect(Ear(), lambda: server.login(other), server.address)
    wait_for(lambda: "name the authority that signed it in nats.ca_file" in client.trouble, "the sentence")


def test_a_certificate_the_server_does_not_know_is_told(server: NatsServer, tmp_path: Path, connect: Connect) -> None:
    other = Authority(tmp_path / "server", "other").leaf("client")
    assert server.files is not None
    shown = other._replace(ca=server.files.ca)
    client = connect(Ear(), lambda: server.login(shown), server.address)
    wait_for(lambda: "refuses our certificate" in client.trouble, "the sentence")


def test_a_server_without_tls_gets_no_password(tmp_path: Path, connect: Connect, server: NatsServer) -> None:
    plain = NatsServer(tmp_path / "plain", None).start()
    try:
        client = connect(Ear(), server.login, plain.address)
        wait_for(lambda: "offers no TLS" in client.trouble, "the sentence")
        open_client = connect(Ear(), lambda: Login(USER, PASSWORD, None), plain.address)
        connected(open_client)
    finally:
        plain.stop()


def test_the_next_server_is_taken_when_one_goes_and_the_first_again_when_it_is_back(
    server: NatsServer, tmp_path: Path, connect: Connect
) -> None:
    other = NatsServer(tmp_path / "other", server.files).start()
    try:
        ear = Ear("s")
        client = connect(ear, server.login, server.address, other.address, Server("127.0.0.1", free_ports(1)[0]))
        connected(client)
        first, second = (server, other) if client.connected == str(server.address) else (other, server)
        first.stop()
        wait_for(lambda: client.connected == str(second.address), "the failover")
        second.stop()
        wait_for(lambda: not client.connected and "does not answer" in client.trouble, "nobody answering")
        first.start()
        wait_for(lambda: client.connected == str(first.address) and not client.trouble, "the return")
        assert ear.opens == ear.closes + 1 >= 3
    finally:
        other.stop()


def test_a_server_that_is_about_to_stop_is_left(server: NatsServer, tmp_path: Path, connect: Connect) -> None:
    other = NatsServer(tmp_path / "other", server.files).start()
    try:
        client = connect(Ear(), server.login, server.address, other.address)
        connected(client)
        first, second = (server, other) if client.connected == str(server.address) else (other, server)
        first.lame_duck()
        wait_for(lambda: client.connected == str(second.address), "the failover")
    finally:
        other.stop()


def test_a_subject_that_is_forbidden_costs_no_other(tmp_path: Path, authority: Authority, connect: Connect) -> None:
    rights = f'user: "{USER}", password: "{PASSWORD}", permissions: {{ subscribe: ["ok"] }}'
    allowed = f"authorization {{ users: [{{ {rights} }}] }}"
    server = NatsServer(tmp_path / "strict", authority.leaf("nats", "127.0.0.1"), extra=allowed).start()
    try:
        ear, mouth = Ear("secret", "ok"), Ear()
        client, speaker = connect(ear, server.login, server.address), connect(mouth, server.login, server.address)
        connected(client)
        connected(speaker)
        assert client.flush(30)
        mouth.said = [Message("secret", "", b"1"), Message("ok", "", b"2")]
        wait_for(lambda: ear.got, "the message")
        assert ear.got == [Message("ok", "", b"2")]
        assert ear.opens == 1
    finally:
        server.stop()


def test_a_file_that_cannot_be_read_is_told(server: NatsServer, connect: Connect) -> None:
    def login() -> Login:
        raise FileNotFoundError(2, "No such file", "/etc/nats-password")

    client = connect(Ear(), login, server.address)
    wait_for(lambda: "a file for NATS cannot be used" in client.trouble, "the sentence")
