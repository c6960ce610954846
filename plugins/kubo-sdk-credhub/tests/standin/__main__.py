"""The stand-in as a process of its own: ``python -m standin DIRECTORY``, from the directory above this one.

Its first line is what a spec says below credential_store, as JSON.  Each line it reads is answered by one with all that
was asked and all that is kept, secrets left out.  It ends with its standard input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .service import Credhub
from .site import Site
from .vault import Entry


def report(credhub: Credhub) -> dict[str, Any]:
    with credhub.lock:
        entries = {entry.name: _told(entry) for entry in credhub.vault.entries.values()}
        return {"calls": dict(credhub.calls), "entries": entries}


def _told(entry: Entry) -> dict[str, Any]:
    """Versions oldest first, as they are kept."""
    versions = [
        {
            "generated": version.generated,
            "transitional": version.transitional,
            "certificate": version.pem if entry.type == "certificate" else None,
        }
        for version in entry.versions
    ]
    return {"id": entry.id, "type": entry.type, "versions": versions}


def main(directory: Path) -> None:
    site = Site(directory)
    site.start()
    print(json.dumps(site.options()), flush=True)
    for _ in sys.stdin:
        print(json.dumps(report(site.credhub)), flush=True)
    site.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
