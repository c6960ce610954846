"""The agent's own HTTP: replies however they are cut, and streams that go on after a pause."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from kubo_sdk_flannel.agent.http import Connection, Dechunker

CHUNKED = b"4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\n"
PLAIN = b"Wikipedia in \r\n\r\nchunks."


@pytest.mark.parametrize("size", range(1, len(CHUNKED) + 1))
def test_chunks_come_together_however_they_are_cut(size: int) -> None:
    dechunker = Dechunker()
    pieces = [CHUNKED[start : start + size] for start in range(0, len(CHUNKED), size)]
    assert b"".join(dechunker.feed(piece) for piece in pieces) == PLAIN
    assert dechunker.done


@contextmanager
def server(*blocks: bytes) -> Iterator[Connection]:
    """A connection to a peer that answers with *blocks*, each after a line from the other side asked for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            accepted, _ = listener.accept()
            with accepted:
                for block in blocks:
                    accepted.recv(65536)
                    accepted.sendall(block)

        threading.Thread(target=answer, daemon=True).start()
        with closing(Connection("127.0.0.1", listener.getsockname()[1], None)) as connection:
            yield connection


OK = b"HTTP/1.1 200 OK\r\n"


def test_one_connection_serves_one_request_after_the_other() -> None:
    replies = [OK + b"Content-Length: 3\r\n\r\none", OK + b"transfer-encoding: Chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"]
    with server(*replies, b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") as connection:
        answers = [connection.request("POST", "/", b"{}", {}) for _ in range(3)]
    assert answers == [(200, b"one"), (200, b"two"), (503, b"")]


def test_a_stream_goes_on_after_a_pause() -> None:
    first = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\none\nt\r\n"
    with server(first, b"3\r\nwo\n\r\n", b"0\r\n\r\n") as connection:
        assert connection.open("GET", "/", b"", {}) == 200
        assert connection.line(5) == b"one"
        assert connection.line(0.01) is None
        connection._socket.sendall(b"go on")
        assert connection.line(5) == b"two"
        connection._socket.sendall(b"go on")
        with pytest.raises(ConnectionError, match="ended the stream"):
            connection.line(5)


def test_a_peer_that_closes_is_an_error_and_no_empty_answer() -> None:
    with server(OK + b"Content-Length: 10\r\n\r\nhalf") as connection, pytest.raises(ConnectionError):
        connection.request("POST", "/", b"{}", {})
