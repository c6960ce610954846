"""What tests of a rotation want to know: what askers were told meanwhile, and which certificates lie on machines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .site import Site

ASKING = Path(__file__).with_name("asking.py")

# Every certificate that lies on a machine, and in the files of its pods.
CERTIFICATES = r"""
for place in /etc/kubernetes /etc/etcd /etc/haproxy /etc/kubo* /var/lib/kubelet/pods; do
  [ ! -d "$place" ] || grep -rlsF 'BEGIN CERTIFICATE' "$place"
done | sort -u | while read -r file; do echo "== $file"; cat "$file"; done
"""


@contextmanager
def asked(site: Site, spec: Path, *mark: str) -> Iterator[dict[str, Any]]:
    """Have the API asked while the block runs; what was told is there after it.  *mark*: of a pod that asks too."""
    told: dict[str, Any] = {}
    command = site.command(sys.executable, str(ASKING), str(spec), str(site.state), *mark)
    asking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield told
    finally:
        output, _ = asking.communicate(timeout=60)
        told.update(json.loads(output))


def certificates(site: Site, spec: Path, instances: Sequence[str]) -> dict[str, list[str]]:
    """Every certificate on these machines, in base64 without a break, by machine and file."""
    found: dict[str, list[str]] = {}
    for instance in instances:
        place = ""
        for line in site.kubo(spec, "exec", instance, "--", "sh", "-c", CERTIFICATES).stdout.splitlines():
            if line.startswith("== "):
                place = f"{instance}:{line[3:]}"
            elif line == "-----BEGIN CERTIFICATE-----":
                found.setdefault(place, []).append("")
            elif not line.startswith("-----") and place in found:
                found[place][-1] += line
    return found
