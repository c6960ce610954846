"""Asks DNS questions in a network namespace: lines ``ADDRESS PORT NAME TYPE`` in, lines of JSON out."""

from __future__ import annotations

import json
import sys

import dns.exception
import dns.message
import dns.query
import dns.rcode

SECONDS = 2.0


def ask(address: str, port: str, name: str, type: str) -> list[str]:
    """The values that answer; without any, the one word that says why."""
    question = dns.message.make_query(name, type)
    try:
        answer = dns.query.udp(question, address, port=int(port), timeout=SECONDS)
    except (dns.exception.Timeout, OSError):
        return ["SILENT"]
    values = sorted(item.to_text() for rrset in answer.answer for item in rrset)
    return values or [dns.rcode.to_text(answer.rcode())]


for line in sys.stdin:
    print(json.dumps(ask(*line.split())), flush=True)
