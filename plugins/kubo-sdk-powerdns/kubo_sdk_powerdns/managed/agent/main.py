"""Where a machine starts: ``agent.pyz prepare SETTINGS`` before the server, ``agent.pyz keep SETTINGS`` beside it."""

from __future__ import annotations

import sys

from kubo_sdk_powerdns.managed.agent.journal import say
from kubo_sdk_powerdns.managed.agent.settings import load_settings, load_wishes


def main() -> int:
    """The exit code; systemd starts it again whatever that is."""
    match sys.argv[1:]:
        case ["prepare" | "keep" as what, path]:
            try:
                return _prepare(path) if what == "prepare" else _keep(path)
            except (OSError, ValueError, KeyError, TypeError) as error:
                say(f"the settings {path} or a file they name cannot be used: {error}")
                return 1
    say("usage: agent.pyz prepare|keep SETTINGS")
    return 2


# Each half imports only what it needs: a machine starts while two cores are busy with everything else.


def _prepare(path: str) -> int:
    from kubo_sdk_powerdns.managed.agent.prepare import prepare  # noqa: PLC0415

    settings = load_settings(path)
    prepare(settings, load_wishes(settings.records))
    return 0


def _keep(path: str) -> int:
    from kubo_sdk_powerdns.managed.agent.keeper import Keeper  # noqa: PLC0415

    Keeper(load_settings(path)).run()
    return 0
