"""Where a master starts: ``agent.pyz SETTINGS`` for the API, ``agent.pyz routes SETTINGS`` for services."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from kubo_sdk_cfrouting.agent import settings as settings_file
from kubo_sdk_cfrouting.agent.readiness import Asker, Readiness
from kubo_sdk_cfrouting.agent.registrar import Registrar
from kubo_sdk_cfrouting.agent.settings import Settings
from kubo_sdk_cfrouting.agent.systemd import notify
from kubo_sdk_cfrouting.agent.trouble import RoutingError, say

# Who waits for the start of the unit waits for the route, but not for one that does not come.
READY_SECONDS = 10.0
LOOK_SECONDS = 0.1


def main() -> int:
    """The exit code; systemd starts it again whatever that is."""
    if sys.argv[1:2] == ["routes"] and len(sys.argv) == 3:
        from kubo_sdk_cfrouting.agent import routes_main  # noqa: PLC0415  (the other process does without)

        return routes_main.run(sys.argv[2])
    if len(sys.argv) != 2:
        say("usage: agent.pyz [routes] SETTINGS")
        return 2
    try:
        agent = Agent(settings_file.load(sys.argv[1]))
    except (OSError, ValueError, KeyError, TypeError, RoutingError) as error:
        say(f"the settings {sys.argv[1]} or a file they name cannot be used: {error}")
        return 1
    agent.run()
    return 0


class Agent:
    """Puts the parts together."""

    def __init__(self, chosen: Settings) -> None:
        self._chosen = chosen
        self._api = settings_file.routing_api(chosen.cloud_foundry)
        self._readiness = Readiness(Asker(chosen.api), self._changed)
        self._registrar = Registrar(chosen, self._api, lambda: self._readiness.trouble, self._tell)
        self._stopping = threading.Event()
        self._state = ""

    def run(self) -> None:
        """Returns after SIGTERM, when the route is gone."""
        signal.signal(signal.SIGTERM, lambda *_: self._stopping.set())
        _start(self._readiness.run)
        keeper = _start(self._registrar.run)
        self._await_route()
        notify("READY=1")
        self._stopping.wait()
        notify("STOPPING=1")
        self._registrar.stop()
        keeper.join()

    def _await_route(self) -> None:
        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends and not self._registrar.registered and not self._stopping.is_set():
            time.sleep(LOOK_SECONDS)

    def _changed(self) -> None:
        self._registrar.wake()

    def _tell(self, state: str) -> None:
        if state != self._state:
            self._state = state
            notify(f"STATUS={state}")


def _start(run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=_or_die, args=(run,), daemon=True)
    thread.start()
    return thread


def _or_die(run: Callable[[], None]) -> None:
    """An agent that lost one of its threads would keep a route that nobody takes back."""
    try:
        run()
    except BaseException:
        import traceback  # noqa: PLC0415

        say(traceback.format_exc())
        os._exit(1)
