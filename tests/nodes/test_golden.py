"""What every supported minor version gets, written out: read the difference before you accept it.

``KUBO_WRITE_GOLDEN=1`` in the environment writes the files anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kubo_sdk.model.secret import Secret
from kubo_sdk.model.version import NEWEST_MINOR, OLDEST_MINOR
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.ports.node import NodeFile

GOLDEN = Path(__file__).parent / "golden"
MACHINES = ("etcd/0", "master/0", "worker/0")


@pytest.mark.parametrize("minor", range(OLDEST_MINOR, NEWEST_MINOR + 1))
def test_a_minor_version_gets_what_is_written_down(render_instance: Callable[..., NodeManifest], minor: int) -> None:
    rendered = "\n".join(shown(machine, render_instance(machine, f"1.{minor}.2")) for machine in MACHINES)
    golden = GOLDEN / f"1.{minor}.txt"
    if os.environ.get("KUBO_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(rendered)
    assert rendered == golden.read_text(), "read the difference; KUBO_WRITE_GOLDEN=1 accepts it"


def shown(machine: str, manifest: NodeManifest) -> str:
    files = sorted(manifest.placed_files, key=lambda file: file.path)
    return f"=== {machine}\n" + "".join(described(file) for file in files)


def described(file: NodeFile) -> str:
    """Name, mode and owner; the content too unless it is a secret or a certificate, which a version does not change."""
    head = f"--- {file.path} {file.mode:04o} {file.owner}\n"
    text = "" if isinstance(file.content, Secret) else file.data().decode()
    return head if text.startswith("<") else head + text
