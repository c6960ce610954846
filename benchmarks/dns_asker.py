"""Asks a DNS server, from wherever it is started: so many questions a second, or until an answer is a new one.

    dns_asker.py load ADDRESS NAMES SECONDS [OUTSTANDING]
    dns_asker.py until ADDRESS NAME CONTENT

NAMES is a file with one name a line; they are asked for in turn, and from the beginning again when all were.  ``load``
keeps that many questions outstanding, each sent when the one before it was answered.  ``until`` asks every millisecond
and prints the time of the monotonic clock at which the answer held CONTENT.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 2.0
A, IN = 1, 1
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN"}


def question(name: str, number: int) -> bytes:
    """A query for the address of *name* as it goes over the wire, recursion desired."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", A, IN)


class Lane:
    """One socket with one question outstanding."""

    def __init__(self, address: str, questions: Iterator[bytes]) -> None:
        self._questions = questions
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, 53))
        self.socket.setblocking(False)
        self.sent = 0.0

    def send(self) -> None:
        packet = next(self._questions)
        self.sent = time.monotonic()
        self.socket.send(packet)


def load(address: str, names: list[str], seconds: float, outstanding: int) -> dict[str, Any]:
    """Questions a second, and percentiles of how long one took, in milliseconds."""
    turn = itertools.count()
    questions = (question(names[number % len(names)], number & 0xFFFF) for number in turn)
    lanes = [Lane(address, questions) for _ in range(outstanding)]
    took: list[float] = []
    codes: dict[str, int] = {}
    lost = 0
    with selectors.DefaultSelector() as selector:
        for lane in lanes:
            selector.register(lane.socket, selectors.EVENT_READ, lane)
            lane.send()
        began = time.monotonic()
        ends = began + seconds
        while (now := time.monotonic()) < ends:
            for key, _ in selector.select(0.1):
                lane = key.data
                reply = lane.socket.recv(4096)
                took.append(time.monotonic() - lane.sent)
                code = RCODES.get(reply[3] & 15, "other")
                codes[code] = codes.get(code, 0) + 1
                lane.send()
            for lane in lanes:
                if now - lane.sent > PATIENCE_SECONDS:
                    lost += 1
                    lane.send()
        elapsed = time.monotonic() - began
    took.sort()
    return {
        "qps": round(len(took) / elapsed),
        "p50_ms": _percentile(took, 50),
        "p99_ms": _percentile(took, 99),
        "lost": lost,
        "answers": codes,
    }


def until(address: str, name: str, content: str) -> float:
    """When the answer held *content*, an IPv4 address."""
    wished = socket.inet_aton(content)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((address, 53))
        client.settimeout(PATIENCE_SECONDS)
        for number in itertools.count():
            client.send(question(name, number & 0xFFFF))
            with contextlib.suppress(TimeoutError):
                if client.recv(4096).endswith(wished):
                    return time.monotonic()
            time.sleep(0.001)
    raise AssertionError("it asks for ever")


def _percentile(values: list[float], percent: int) -> float:
    return round(1000 * values[min(len(values) - 1, len(values) * percent // 100)], 3) if values else 0.0


def main() -> int:
    match sys.argv[1:]:
        case ["load", address, names, seconds, *rest]:
            listed = Path(names).read_text().split()
            print(json.dumps(load(address, listed, float(seconds), int(rest[0]) if rest else 16)))
        case ["until", address, name, content]:
            print(until(address, name, content))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
