"""A resolver outside a cluster: ``outside.py ADDRESS NAME=ADDRESS …`` answers these names and refuses no question."""

from __future__ import annotations

import socket
import sys

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


def answer(data: bytes, names: dict[str, str]) -> bytes:
    query = dns.message.from_wire(data)
    response = dns.message.make_response(query, recursion_available=True)
    (question,) = query.question
    name = question.name.to_text(omit_final_dot=True).lower()
    if name not in names:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.A:
        response.answer.append(dns.rrset.from_text(question.name, 30, "IN", "A", names[name]))
    return response.to_wire()


def main() -> None:
    address, *pairs = sys.argv[1:]
    names = dict(pair.split("=") for pair in pairs)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        print("ready", flush=True)
        while True:
            data, sender = server.recvfrom(4096)
            server.sendto(answer(data, names), sender)


if __name__ == "__main__":
    main()
