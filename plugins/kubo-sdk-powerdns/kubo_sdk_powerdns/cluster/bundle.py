"""The agent of this package as one file."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk_powerdns.archive import archive


def agent_archive() -> bytes:
    """The bytes of the file that a machine's Python runs."""
    return archive("kubo_sdk_powerdns.cluster.agent", Path(__file__).parent / "agent")
