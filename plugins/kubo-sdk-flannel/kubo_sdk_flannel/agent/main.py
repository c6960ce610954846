"""Where a node starts: ``agent.pyz agent SETTINGS`` on a worker, ``agent.pyz gate SETTINGS`` on an etcd machine."""

from __future__ import annotations

import sys

from kubo_sdk_flannel.agent import settings
from kubo_sdk_flannel.agent.trouble import NetworkChanged, say


def main() -> int:
    """The exit code; systemd starts it again whatever that is."""
    match sys.argv[1:]:
        case ["agent", path]:
            return _run_agent(path)
        case ["gate", path]:
            return _run_gate(path)
    say("usage: agent.pyz agent|gate SETTINGS")
    return 2


# Each half imports only what it needs: a worker starts while two cores are busy with everything else.


def _run_agent(path: str) -> int:
    from kubo_sdk_flannel.agent.agent import open_store, run  # noqa: PLC0415

    try:
        chosen = settings.load(path)
        store = open_store(chosen)
    except (OSError, ValueError, KeyError) as error:
        return _unusable(path, error)
    try:
        run(chosen, store)
    except NetworkChanged as error:
        say(str(error))
    return 0


def _run_gate(path: str) -> int:
    from kubo_sdk_flannel.agent.gate import run  # noqa: PLC0415

    try:
        chosen = settings.load_gate(path)
    except (OSError, ValueError, KeyError) as error:
        return _unusable(path, error)
    run(chosen)
    return 0


def _unusable(path: str, error: Exception) -> int:
    say(f"the settings {path} or a file they name cannot be used: {error}")
    return 1
