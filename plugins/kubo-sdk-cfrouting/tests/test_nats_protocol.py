"""The protocol of NATS, byte by byte."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk_cfrouting.agent import nats_protocol as protocol
from kubo_sdk_cfrouting.agent.nats_protocol import Message, Parser, ProtocolError, Told

STREAM = (
    b'INFO {"server_id":"x"}\r\n+OK\r\nMSG a.b 1 5\r\nhe\r\no\r\nMSG a 2 _INBOX.1 0\r\n\r\nPING\r\nPONG\r\n'
    b"-ERR 'Authorization Violation'\r\n"
)
FRAMES = [
    Told("INFO", '{"server_id":"x"}'),
    Told("+OK"),
    Message("a.b", "", b"he\r\no"),
    Message("a", "_INBOX.1", b""),
    Told("PING"),
    Told("PONG"),
    Told("-ERR", "'Authorization Violation'"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_frames_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parser, found = Parser(), []
    for first, last in pairwise(places):
        found += parser.feed(STREAM[first:last])
    assert found == FRAMES
    assert parser.empty


@pytest.mark.parametrize("noise", [b"MSG a\r\n", b"MSG a 1 x\r\n", b"MSG a 1 99999999999\r\n", b"x" * 70_000])
def test_what_is_no_nats_is_an_error(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Parser().feed(noise))


@given(st.binary(max_size=200))
def test_no_noise_ends_the_client(noise: bytes) -> None:
    try:
        for told in Parser().feed(noise + b"\r\n"):
            if isinstance(told, Told) and told.word == "INFO":
                told.info()
    except ProtocolError:
        pass


def test_what_is_published_says_its_length_and_who_waits_for_an_answer() -> None:
    assert protocol.publish("a", b"hello") == b"PUB a 5\r\nhello\r\n"
    assert protocol.publish("a", b"", "_INBOX.1") == b"PUB a _INBOX.1 0\r\n\r\n"
