"""HttpsClient against real TLS servers that answer, refuse, hang and break off."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kubo_sdk.clients.connection import Address
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.errors import AuthError, Conflict, NotFound, ProviderError, Unavailable

Handle = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request at a test server; the server's ``handle_request_with`` answers it."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(self.path)
        self.server.answer(self)

    do_POST = do_GET  # noqa: N815

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def break_off(self) -> None:
        """Close the connection in the middle of the answer, as a killed server does."""
        socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A TLS server on a loopback port that remembers what it was asked."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, answer: Handle) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.answer = answer
        self.requests: list[str] = []
        self.connections = 0

    @property
    def address(self) -> Address:
        return "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, object]:
        accepted = super().get_request()
        self.connections += 1
        return accepted

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@pytest.fixture
def serve(authority) -> Iterator[Callable[..., Server]]:
    """Start servers; all are gone after the test."""
    with contextlib.ExitStack() as stack:

        def start(answer: Handle, host: str = "127.0.0.1", client_ca: Path | None = None) -> Server:
            identity = authority.issue("server", host)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity.certificate_file, identity.key_file)
            if client_ca is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca)
            server = Server(context, answer)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return server

        yield start


@pytest.fixture
def client(authority) -> Callable[..., HttpsClient]:
    return lambda *addresses, **options: HttpsClient(addresses, authority.ca, **options)


def ok(exchange: Exchange) -> None:
    exchange.reply(200, b'{"path": "%s"}' % exchange.path.encode())


@pytest.fixture
def dead() -> Address:
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1", probe.getsockname()[1]


def test_an_endpoint_that_is_not_there_is_passed_over_for_any_request(serve, client, dead) -> None:
    server = serve(ok)
    https = client(dead, server.address)
    assert https.request("POST", "/x", b"{}").json() == {"path": "/x"}
    assert https.request("GET", "/y").endpoint == f"127.0.0.1:{server.address[1]}"


def test_when_no_endpoint_answers_the_error_names_each(client, dead) -> None:
    other = ("127.0.0.1", 1)
    with pytest.raises(Unavailable, match=rf"127.0.0.1:{dead[1]} cannot be reached.*127.0.0.1:1 cannot be reached"):
        client(dead, other).request("GET", "/")


def test_a_request_that_broke_off_is_repeated_elsewhere_only_if_that_is_harmless(serve, client) -> None:
    broken, good = serve(Exchange.break_off), serve(ok)
    with pytest.raises(Unavailable, match=f":{broken.address[1]} "):
        client(broken.address, good.address).request("POST", "/once", b"{}")
    assert good.requests == []
    assert client(broken.address, good.address).request("POST", "/twice", b"{}", idempotent=True).status == 200
    assert good.requests == ["/twice"]


def test_a_busy_endpoint_is_left_for_another(serve, client) -> None:
    busy, good = serve(lambda exchange: exchange.reply(503, b"no leader")), serve(ok)
    assert client(busy.address, good.address).request("GET", "/").status == 200
    assert client(busy.address).request("GET", "/").explanation() == "no leader"


def test_connections_are_kept_and_never_shared_by_two_threads(serve, client) -> None:
    server = serve(lambda exchange: (time.sleep(0.01), ok(exchange)))
    https = client(server.address)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: https.request("GET", f"/{number}").json()["path"], range(40)))
    assert answers == [f"/{number}" for number in range(40)]
    assert server.connections <= 4


def test_a_kept_connection_that_the_server_closed_is_replaced(serve, client) -> None:
    def answer_once(exchange: Exchange) -> None:
        ok(exchange)
        exchange.close_connection = True

    https = client(serve(answer_once).address)
    for _ in range(3):
        assert https.request("POST", "/", b"{}").status == 200


def test_a_server_that_hangs_costs_the_timeout_once(serve, client) -> None:
    hanging = threading.Event()
    server = serve(lambda exchange: ok(exchange) if exchange.path == "/first" else hanging.wait(5))
    https = client(server.address, timeout=0.3)
    https.request("GET", "/first")
    started = time.monotonic()
    with pytest.raises(Unavailable, match="did not answer in time"):
        https.request("GET", "/second")
    assert time.monotonic() - started < 0.55
    hanging.set()


def test_a_certificate_for_another_host_is_refused(serve, client) -> None:
    server = serve(ok, host="10.9.8.7")
    with pytest.raises(AuthError, match=rf"certificate of 127.0.0.1:{server.address[1]} is not to be trusted"):
        client(server.address).request("GET", "/")


def test_a_server_of_another_authority_is_refused(serve, other_authority) -> None:
    with pytest.raises(AuthError, match="not to be trusted"):
        HttpsClient([serve(ok).address], other_authority.ca).request("GET", "/")


def test_a_client_shows_its_certificate_and_one_of_another_authority_is_refused(
    serve, authority, other_authority
) -> None:
    server = serve(ok, client_ca=authority.ca_file)
    mine, theirs = authority.issue("me"), other_authority.issue("me")
    good = HttpsClient([server.address], authority.ca, mine.certificate, mine.key)
    assert good.request("GET", "/").status == 200
    with pytest.raises((AuthError, Unavailable), match=f":{server.address[1]}"):
        HttpsClient([server.address], authority.ca, theirs.certificate, theirs.key).request("GET", "/")


def test_a_key_that_does_not_belong_to_the_certificate_is_refused_at_once(authority) -> None:
    mine, other = authority.issue("me"), authority.issue("other")
    with pytest.raises(AuthError, match="cannot be used together"):
        HttpsClient([("127.0.0.1", 1)], authority.ca, mine.certificate, other.key)


def test_an_unreadable_authority_is_refused_at_once() -> None:
    with pytest.raises(AuthError, match="CA certificate cannot be read"):
        HttpsClient([("127.0.0.1", 1)], "no PEM at all")


def test_the_key_leaves_no_file_behind(authority, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    mine = authority.issue("me")
    before = set(Path("/proc/self/fd").iterdir())
    HttpsClient([("127.0.0.1", 1)], authority.ca, mine.certificate, mine.key)
    assert not list(tmp_path.iterdir())
    assert {fd for fd in Path("/proc/self/fd").iterdir() if fd.exists()} <= before


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, ProviderError), (401, AuthError), (403, AuthError), (404, NotFound), (409, Conflict), (500, Unavailable)],
)
def test_a_status_becomes_the_error_it_stands_for(serve, client, status, error) -> None:
    server = serve(lambda exchange: exchange.reply(status, b'{"message": "because\\n of this"}'))
    with pytest.raises(error, match=rf"get things failed on 127.0.0.1:{server.address[1]}: because of this") as caught:
        client(server.address).request("GET", "/").check("get things")
    assert type(caught.value) is error


def test_a_server_may_say_when_to_ask_again(serve, client) -> None:
    server = serve(lambda exchange: exchange.reply(429, b"slow down", Retry_After="7"))
    with pytest.raises(Unavailable) as caught:
        client(server.address).request("GET", "/").check("get things")
    assert caught.value.retry_after == 7


def chunk(exchange: Exchange, data: bytes) -> None:
    exchange.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
    exchange.wfile.flush()


def begin_stream(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    exchange.end_headers()


def test_a_stream_yields_each_line_when_it_comes(serve, client) -> None:
    proceed = threading.Event()

    def answer(exchange: Exchange) -> None:
        begin_stream(exchange)
        chunk(exchange, b"one\ntw")
        proceed.wait(5)
        chunk(exchange, b"o\n")
        chunk(exchange, b"")

    with client(serve(answer).address).stream("GET", "/") as stream:
        lines = iter(stream)
        assert next(lines) == b"one"
        proceed.set()
        assert list(lines) == [b"two"]


def test_closing_a_stream_from_another_thread_ends_its_iteration(serve, client) -> None:
    hanging = threading.Event()

    def answer(exchange: Exchange) -> None:
        begin_stream(exchange)
        chunk(exchange, b"one\n")
        hanging.wait(5)

    stream = client(serve(answer).address).stream("GET", "/")
    lines = iter(stream)
    assert next(lines) == b"one"
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(list, lines)
        with pytest.raises(TimeoutError):
            rest.result(timeout=0.1)
        stream.close()
        assert rest.result(timeout=2) == []
    hanging.set()


def test_a_stream_that_breaks_off_or_falls_silent_is_an_error(serve, client) -> None:
    hanging = threading.Event()

    def answer(exchange: Exchange) -> None:
        begin_stream(exchange)
        chunk(exchange, b"one\n")
        if exchange.path == "/silent":
            hanging.wait(5)
        exchange.break_off()

    https = client(serve(answer).address)
    for path in ("/broken", "/silent"):
        with https.stream("GET", path, silence=0.2) as stream, pytest.raises(Unavailable, match="broke off"):
            list(stream)
    hanging.set()


def test_a_refused_stream_is_the_error_it_stands_for(serve, client) -> None:
    server = serve(lambda exchange: exchange.reply(404, b"no such thing"))
    with pytest.raises(NotFound, match=r"watch of things failed on .*: no such thing"):
        client(server.address).stream("GET", "/", what="watch of things")
