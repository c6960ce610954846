"""Where the agent starts on a node: ``python3 agent.pyz SETTINGS``."""

from __future__ import annotations

import sys

from kubo_sdk_flannel.agent import settings
from kubo_sdk_flannel.agent.agent import run
from kubo_sdk_flannel.agent.trouble import NetworkChanged, say


def main() -> int:
    """The exit code; systemd starts the agent again whatever it is."""
    if len(sys.argv) != 2:
        say("usage: agent.pyz SETTINGS")
        return 2
    try:
        run(settings.load(sys.argv[1]))
    except NetworkChanged as error:
        say(str(error))
    return 0
