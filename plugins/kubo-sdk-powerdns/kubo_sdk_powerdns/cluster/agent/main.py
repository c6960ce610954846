"""Where a worker starts: ``agent.pyz SETTINGS``."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

from kubo_sdk_powerdns.cluster.agent import settings as settings_file
from kubo_sdk_powerdns.cluster.agent import snapshot
from kubo_sdk_powerdns.cluster.agent.api import Api
from kubo_sdk_powerdns.cluster.agent.backend import Backend
from kubo_sdk_powerdns.cluster.agent.catalog import Catalog
from kubo_sdk_powerdns.cluster.agent.follower import Follower
from kubo_sdk_powerdns.cluster.agent.recursor import Forgetter, Recursor
from kubo_sdk_powerdns.cluster.agent.server import Server
from kubo_sdk_powerdns.cluster.agent.settings import Settings
from kubo_sdk_powerdns.cluster.agent.sinks import ServiceSink, SliceSink
from kubo_sdk_powerdns.cluster.agent.systemd import notify
from kubo_sdk_powerdns.cluster.agent.trouble import Trouble, say
from kubo_sdk_powerdns.cluster.agent.upkeep import Upkeep

SERVICES = ("/api/v1/services",)
# The second is what Kubernetes 1.20 has.
SLICES = ("/apis/discovery.k8s.io/v1/endpointslices", "/apis/discovery.k8s.io/v1beta1/endpointslices")


def main() -> int:
    """The exit code; systemd starts it again whatever that is."""
    if len(sys.argv) != 2:
        say("usage: agent.pyz SETTINGS")
        return 2
    try:
        chosen = settings_file.load(sys.argv[1])
        agent = Agent(chosen)
    except (OSError, ValueError, KeyError, TypeError) as error:
        say(f"the settings {sys.argv[1]} or a file they name cannot be used: {error}")
        return 1
    agent.run()
    return 0


class Agent:
    """Puts the parts together."""

    def __init__(self, chosen: Settings) -> None:
        self._chosen = chosen
        self._api = Api(chosen.access)
        self._catalog = Catalog(chosen.zones, chosen.address)
        self._backend = Backend(self._catalog)
        recursor = Recursor(chosen.run, chosen.zones)
        self._forgetter = Forgetter(recursor.forget)
        self._upkeep = Upkeep(chosen, self._catalog, recursor)
        self._unlisted = {"services", "slices"}

    def run(self) -> None:
        """Never returns."""
        if snapshot.load(self._chosen.snapshot, self._catalog):
            self._backend.ready = True
        else:
            say("nothing is known of the cluster yet; names in it fail until the API answers")
        self._upkeep.prepare()
        server = Server(self._chosen.socket, self._backend)
        signal.signal(signal.SIGTERM, self._end)
        services = ServiceSink(self._catalog, self._changed, lambda: self._listed("services"))
        slices = SliceSink(self._catalog, self._changed, lambda: self._listed("slices"))
        self._start(Follower(self._api, SERVICES, services, Trouble("follow Services")).run)
        self._start(Follower(self._api, SLICES, slices, Trouble("follow EndpointSlices")).run)
        self._start(self._forgetter.run)
        self._start(self._upkeep.run)
        notify("READY=1")
        server.run()

    def _changed(self, names: set[str]) -> None:
        self._upkeep.touch()
        self._forgetter.add(names)

    def _listed(self, what: str) -> None:
        """Without slices headless Services would not exist."""
        self._unlisted.discard(what)
        if not self._unlisted:
            self._backend.ready = True

    def _start(self, run: Callable[[], None]) -> None:
        threading.Thread(target=_or_die, args=(run,), daemon=True).start()

    def _end(self, *_: object) -> None:
        self._upkeep.save()
        os._exit(0)


def _or_die(run: Callable[[], None]) -> None:
    """An agent that lost one of its threads would answer and never learn anything new."""
    try:
        run()
    finally:
        os._exit(1)
