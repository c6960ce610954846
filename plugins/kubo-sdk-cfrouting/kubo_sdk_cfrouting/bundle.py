"""The agent of this package as one file."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk import agent_archive as archives


def agent_archive() -> bytes:
    """The bytes of the file that a machine's Python runs."""
    return archives.agent_archive("kubo_sdk_cfrouting.agent", Path(__file__).parent / "agent")
