"""A director that is killed while it puts records: python -m is the one of the contract suite."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Record

from .server import PATIENCE


def put_until_killed(
    options: Mapping[str, Any],
    spec: ClusterSpec,
    directory: Path,
    records: Sequence[Record],
    enough: Callable[[], bool],
) -> None:
    """Put *records* in another process, and kill it as soon as *enough* of them are there."""
    asked = {
        "provider": "powerdns",
        "options": options,
        "directories": [str(directory)] * 3,
        "cluster": [spec.name, spec.director, spec.zone],
        "records": [asdict(record) for record in records],
    }
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-m", "kubo_sdk.testing.writers"], stdin=pipe, stdout=pipe) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"connected\n"
            process.stdin.write(b"go\n")
            process.stdin.flush()
            wait_until(lambda: enough() or None, what="the first records", timeout=PATIENCE, interval=0.005)
            assert process.poll() is None, "it was done before it could be killed; give it more to do"
        finally:
            process.kill()
