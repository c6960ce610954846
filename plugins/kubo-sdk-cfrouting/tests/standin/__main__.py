"""The stand-in as a process of its own: ``python -m standin DIRECTORY [ADDRESS]``, from the directory above this one.

Its first line is what a spec says below ingress, as JSON.  Each line it reads is a command, answered by one line of
JSON: ``report``, ``stop api``, ``start api``, ``stop uaa``, ``start uaa``, ``revoke``.  It ends with its input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .site import Site


def report(site: Site) -> dict[str, Any]:
    """Routes that are there, what happened to routes, and what HAProxy served from when on."""
    return {
        "routes": site.api.routes(),
        "history": site.api.history,
        "applied": site.router.applied if site.router is not None else [],
        "calls": dict(site.api.calls),
        "logins": dict(site.uaa.logins),
    }


def main(directory: Path, host: str) -> None:
    site = Site(directory, host, routes=True)
    site.start()
    commands: dict[str, Callable[[], Any]] = {
        "report": lambda: report(site),
        "stop api": site.stop_api,
        "start api": site.start_api,
        "stop uaa": site.uaa_server.stop,
        "start uaa": site.uaa_server.start,
        "revoke": site.uaa.revoke_all,
    }
    print(json.dumps(site.options()), flush=True)
    try:
        for line in sys.stdin:
            print(json.dumps(commands[line.strip()]()), flush=True)
    finally:
        site.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(sys.argv[2:3] or ["127.0.0.1"]))
