"""Serving: asks the name servers themselves.  A record counts as published when it is served."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
from attrs import frozen

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import ProviderError, Unavailable
from kubo_sdk_powerdns.record_set import RecordSet

QUERY_SECONDS = 3.0
POLL_SECONDS = 0.25


class NotServed(ProviderError):
    """Every name server answers, and one of them not with the record."""


@frozen(kw_only=True)
class NameServer:
    """Where an authoritative server answers."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def address(self) -> str:
        """The address of its name; Unavailable when it has none."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unavailable(f"the name {self.host} of the DNS server has no address: {error.strerror}") from None
        return str(found[0][4][0])

    def ask(self, name: str, type: str) -> dns.message.Message:
        """Its answer, over UDP, or TCP where that is too short; Unavailable when none comes."""
        query = dns.message.make_query(name, type, flags=0, use_edns=0)
        try:
            return dns.query.udp_with_fallback(query, self.address(), timeout=QUERY_SECONDS, port=self.port)[0]
        except (dns.exception.DNSException, OSError, EOFError) as error:
            reason = str(error) or error.__class__.__name__
            raise Unavailable(
                f"the name server {self} gives no answer ({reason}); see that it runs and is reachable"
            ) from None


@frozen(kw_only=True)
class Serving:
    """``name_servers`` must all serve a record within ``timeout`` seconds."""

    name_servers: tuple[NameServer, ...]
    timeout: float

    def wait(self, wished: RecordSet, superseded: Callable[[], bool]) -> None:
        """Return when every name server answers with *wished*, or when ``superseded()``.

        NotServed when one answers something else to the end, Unavailable when one does not answer.
        """
        for server in self.name_servers:
            self._wait_for(server, wished, superseded)

    def _wait_for(self, server: NameServer, wished: RecordSet, superseded: Callable[[], bool]) -> None:
        answers: list[str] = []

        def served() -> bool | None:
            answers.clear()
            found = _difference(server.ask(wished.name, wished.type), wished)
            answers.extend(found)
            return True if not found or superseded() else None

        try:
            wait_until(served, what=f"{wished.type} {wished.name}", timeout=self.timeout, interval=POLL_SECONDS)
        except Unavailable as error:
            if not answers:
                raise Unavailable(f"{wished.type} {wished.name} is written, but {error}", retry_after=None) from None
            raise NotServed(
                f"{wished.type} {wished.name} is written, but after {self.timeout:g} s {server} still answers "
                f"{answers[0]}; see whether another zone or a delegation covers it, and that the server has the zone"
            ) from None


def _difference(answer: dns.message.Message, wished: RecordSet) -> list[str]:
    """What the answer says instead of *wished*; empty when it says just that."""
    if answer.rcode() != dns.rcode.NOERROR:
        return [dns.rcode.to_text(answer.rcode())]
    if not answer.flags & dns.flags.AA:
        return ["without authority"]
    found: list[Any] = [
        each
        for each in answer.answer
        if each.name.to_text().lower() == wished.name and dns.rdatatype.to_text(each.rdtype) == wished.type
    ]
    contents = [rdata.to_text() for each in found for rdata in each]
    if _comparable(wished.type, contents) != _comparable(wished.type, wished.contents):
        return ["with other values" if contents else "with nothing"]
    return ["with an older time to live"] if any(each.ttl > wished.ttl for each in found) else []


def _comparable(type: str, contents: Iterable[str]) -> list[str]:
    """Names compare without regard to case, texts with it."""
    return sorted(contents if type == "TXT" else (each.lower() for each in contents))
