"""Where the agent starts on a node: ``python3 agent.pyz SETTINGS``."""

from __future__ import annotations

import sys

from kubo_sdk_flannel.agent import settings
from kubo_sdk_flannel.agent.agent import open_store, run
from kubo_sdk_flannel.agent.trouble import NetworkChanged, say


def main() -> int:
    """The exit code; systemd starts the agent again whatever it is."""
    if len(sys.argv) != 2:
        say("usage: agent.pyz SETTINGS")
        return 2
    try:
        chosen = settings.load(sys.argv[1])
        store = open_store(chosen)
    except (OSError, ValueError, KeyError) as error:
        say(f"the settings {sys.argv[1]} or a file they name cannot be used: {error}")
        return 1
    try:
        run(chosen, store)
    except NetworkChanged as error:
        say(str(error))
    return 0
