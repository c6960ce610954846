"""The protocol of NATS as a client hears and speaks it.  Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LONGEST_LINE = 1 << 16
LARGEST_PAYLOAD = 8 << 20


class ProtocolError(Exception):
    """The server speaks something else."""


class Message(NamedTuple):
    """``reply`` is empty where nobody waits for an answer."""

    subject: str
    reply: str
    payload: bytes


class Told(NamedTuple):
    """Anything but a message: ``INFO`` with its JSON, ``PING``, ``PONG``, ``+OK``, ``-ERR`` with its text."""

    word: str
    text: str = ""

    def info(self) -> dict[str, Any]:
        try:
            found = json.loads(self.text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ProtocolError("its INFO is no JSON object")
        return found


class Parser:
    """Takes bytes however they are cut."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._head: tuple[str, str, int] | None = None

    @property
    def empty(self) -> bool:
        return not self._raw

    def feed(self, block: bytes) -> Iterator[Message | Told]:
        self._raw += block
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Message | Told | None:
        if self._head is None:
            end = self._raw.find(b"\r\n")
            if end < 0:
                if len(self._raw) > LONGEST_LINE:
                    raise ProtocolError("a line has no end")
                return None
            line = self._raw[:end].decode("utf-8", "replace")
            del self._raw[: end + 2]
            word, _, rest = line.strip().partition(" ")
            if word.upper() != "MSG":
                return Told(word.upper(), rest.strip())
            self._head = _head(rest)
        subject, reply, size = self._head
        if len(self._raw) < size + 2:
            return None
        payload = bytes(self._raw[:size])
        del self._raw[: size + 2]
        self._head = None
        return Message(subject, reply, payload)


def _head(text: str) -> tuple[str, str, int]:
    """Of ``SUBJECT SID [REPLY] SIZE``."""
    words = text.split()
    if len(words) not in (3, 4) or not words[-1].isdigit() or int(words[-1]) > LARGEST_PAYLOAD:
        raise ProtocolError(f"a message begins with {text[:100]!r}")
    return words[0], words[2] if len(words) == 4 else "", int(words[-1])


def connect(options: Mapping[str, Any]) -> bytes:
    return b"CONNECT %s\r\n" % json.dumps(options).encode()


def subscribe(subject: str, number: int) -> bytes:
    return f"SUB {subject} {number}\r\n".encode()


def publish(subject: str, payload: bytes, reply: str = "") -> bytes:
    head = f"PUB {subject} {reply} {len(payload)}" if reply else f"PUB {subject} {len(payload)}"
    return head.encode() + b"\r\n" + payload + b"\r\n"


PING, PONG = b"PING\r\n", b"PONG\r\n"
