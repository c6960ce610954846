"""What an HTTP router of Cloud Foundry hears: ``nats_listener.py HOST PORT USER PASSWORD``, one line of JSON a message.

It speaks NATS by itself, and says at first that a router has just started, so that whoever has routes repeats them.
"""

from __future__ import annotations

import json
import socket
import sys

SUBJECTS = ("router.register", "router.unregister")
START = json.dumps({"id": "listener", "minimumRegisterIntervalInSeconds": 5, "pruneThresholdInSeconds": 60}).encode()


def main(host: str, port: str, user: str, password: str) -> None:
    login = json.dumps({"user": user, "pass": password, "verbose": False, "pedantic": False}).encode()
    with socket.create_connection((host, int(port))) as connection, connection.makefile("rwb") as stream:
        stream.write(b"CONNECT %s\r\n" % login)
        for number, subject in enumerate(SUBJECTS):
            stream.write(b"SUB %s %d\r\n" % (subject.encode(), number))
        stream.write(b"PUB router.start %d\r\n%s\r\n" % (len(START), START))
        stream.flush()
        while line := stream.readline():
            words = line.split()
            if words[0] == b"PING":
                stream.write(b"PONG\r\n")
                stream.flush()
            elif words[0] == b"MSG":
                said = json.loads(stream.read(int(words[-1])))
                stream.readline()
                print(json.dumps([words[1].decode(), said]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
