"""What programs of a release say their version is, or a ``VERSION`` file on their behalf."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from kubo_sdk.errors import HostError

VERSION_FILE = "VERSION"
TIMEOUT = 20.0


def program_version(program: Path) -> str:
    """Run a program of Kubernetes or etcd and return its version without the ``v``: ``1.20.2``.

    HostError when it does not run here, as one for another kind of machine.
    """
    arguments = ["version", "--client"] if program.name == "kubectl" else ["--version"]
    remedy = f"put a file {VERSION_FILE} beside its directory bin when it is meant for other machines"
    try:
        result = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"{program} does not run on this host ({error}); {remedy}") from error
    found = re.search(r"\bv?(\d+\.\d+\.\d+)", result.stdout)
    if result.returncode or found is None:
        raise HostError(f"{program} does not tell its version; {remedy}")
    return found[1]
