"""Asks a URL over and over, each time by a connection of its own: ``router_client.py URL CA``.  Writes what came of it.

One line of JSON for each request: when it began, how long it took, and what went wrong, if anything.  It ends with its
standard input.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

EVERY_SECONDS = 0.05
PATIENCE_SECONDS = 20.0


def ask(host: str, port: int, context: ssl.SSLContext) -> str:
    """What went wrong; empty where nothing did."""
    connection = HTTPSConnection(host, port, timeout=PATIENCE_SECONDS, context=context)
    try:
        connection.request("GET", "/version")
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    else:
        return "" if response.status == 200 else f"HTTP {response.status}"
    finally:
        connection.close()


def main(url: str, ca: str) -> None:
    parts, context, lock = urlsplit(url), ssl.create_default_context(cafile=ca), threading.Lock()
    ended = threading.Event()

    def once() -> None:
        began = time.time()
        trouble = ask(parts.hostname or "", parts.port or 443, context)
        with lock:
            print(json.dumps([began, time.time() - began, trouble]), flush=True)

    def go_on() -> None:
        while not ended.wait(EVERY_SECONDS):
            # One that hangs holds up nobody.
            threading.Thread(target=once).start()

    asking = threading.Thread(target=go_on)
    asking.start()
    sys.stdin.read()
    ended.set()
    asking.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
