"""Registrar: keeps the route to this master alive while its API server is ready, and takes it back when it is not."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from kubo_sdk_cfrouting.agent import backoff
from kubo_sdk_cfrouting.agent.claim import check_owner, check_port, chosen
from kubo_sdk_cfrouting.agent.routing_api import RoutingApi, TcpRoute
from kubo_sdk_cfrouting.agent.settings import Settings
from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError, Trouble, say

# How long stopping may go on trying to take the route back.
LEAVE_SECONDS = 8.0
# The routers hear of a route that is gone at once, and take a moment to act on it.
LINGER_SECONDS = 2.0

_MAXIMUM = re.compile(r"TTL to be less than or equal to (\d+)|[Mm]ax ttl is (\d+)")


class Registrar:
    """`run` in a thread; `wake` whenever *trouble* of the API server may be another.

    *trouble()* is empty while the API server is ready.  *told(state)* hears each change of what is to be said.
    """

    def __init__(
        self, settings: Settings, api: RoutingApi, trouble: Callable[[], str], told: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._api = api
        self._trouble = trouble
        self._told = told
        self._condition = threading.Condition()
        self._woken = False
        self._stopping = False
        self._ttl = settings.ttl
        self._group = ""
        # Until when a route of ours is there, and until when one may be whose answer got lost, as monotonic times.
        self._until = self._doubtful_until = 0.0
        self._failures = 0
        self._registering = Trouble("register this master")
        self._withdrawing = Trouble("take this master back")

    @property
    def registered(self) -> bool:
        """Whether the routers lead here."""
        return time.monotonic() < self._until

    @property
    def _may_be_registered(self) -> bool:
        return time.monotonic() < max(self._until, self._doubtful_until)

    def wake(self) -> None:
        with self._condition:
            self._woken = True
            self._condition.notify()

    def stop(self) -> None:
        """`run` takes the route back and returns."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        while not self._stopping:
            self._rest(self._step())
        self._leave()

    def _rest(self, seconds: float) -> None:
        with self._condition:
            if not self._woken:
                self._condition.wait(seconds)
            self._woken = False

    def _step(self) -> float:
        """Do what is to be done now; returns for how long there is nothing to do."""
        try:
            trouble = self._trouble()
            if trouble:
                return self._withdraw(trouble)
            return self._register()
        except RoutingError as error:
            return self._failed(error)
        except OSError as error:
            return self._failed(RoutingError(Kind.LOGIN, f"the client's secret cannot be read: {error}"))

    def _register(self) -> float:
        self._withdrawing.ends()
        if not self.registered:
            self._enter()
        began = time.monotonic()
        self._doubtful_until = began + self._ttl
        self._api.register([self._route()])
        if not self.registered:
            say(f"registered {self._where()}")
        self._until = began + self._ttl
        self._failures = 0
        self._registering.ends()
        self._told(f"registered {self._where()}")
        return max(0.0, began + backoff.renewal(self._ttl) - time.monotonic())

    def _enter(self) -> None:
        """Who comes anew looks who is there, and takes back what a former machine of this instance left."""
        group = chosen(self._api.router_groups(self._settings.group), self._settings.group)
        check_port(group, self._settings.port)
        self._group = group.guid
        routes, mine = self._api.routes(), self._mark()
        check_owner(routes, group, self._settings.port, self._settings.owner, (self._settings.address,))
        stale = [
            route
            for route in routes
            if route.get("instance_id") == mine
            and (route.get("router_group_guid"), route.get("port"), route.get("backend_ip"), route.get("backend_port"))
            != (group.guid, self._settings.port, self._settings.address, self._settings.api.port)
        ]
        self._api.unregister(stale)

    def _withdraw(self, trouble: str) -> float:
        """Take the route back; nothing to do where none can be."""
        self._registering.ends()
        if self._may_be_registered:
            self._api.unregister([self._route()])
            self._until = self._doubtful_until = 0.0
            say(f"took this master back: {trouble}")
        self._failures = 0
        self._withdrawing.ends()
        self._told(f"! not registered: {trouble}")
        return backoff.REFUSED_SECONDS

    def _failed(self, error: RoutingError) -> float:
        if error.kind is Kind.REFUSED and self._takes_less(str(error)):
            return 0.0
        unwell = bool(self._trouble())
        (self._withdrawing if unwell else self._registering).begins(str(error))
        self._told(f"! {'still' if self.registered else 'not'} registered: {error}")
        if error.kind in (Kind.REFUSED, Kind.MISSING):
            self._until = 0.0  # the group may be another one by now
        pause = backoff.repetition(self._failures)
        self._failures += 1
        if error.kind in (Kind.AWAY, Kind.DISTRUST) or self.registered:
            return pause
        return max(pause, backoff.jittered(min(backoff.REFUSED_SECONDS, self._ttl / backoff.RENEWALS_IN_A_TTL)))

    def _takes_less(self, said: str) -> bool:
        """Whether the server named the longest TTL it takes, which is ours from now on."""
        found = _MAXIMUM.search(said)
        most = int(found[1] or found[2]) if found else 0
        if not 0 < most < self._ttl:
            return False
        say(f"the routing API takes a ttl of {most} seconds at most, so {self._ttl} becomes {most}")
        self._ttl = most
        return True

    def _leave(self) -> None:
        ends, failures = time.monotonic() + LEAVE_SECONDS, 0
        while self._may_be_registered and time.monotonic() < ends:
            try:
                self._api.unregister([self._route()])
            except (RoutingError, OSError) as error:
                self._withdrawing.begins(str(error))
                time.sleep(backoff.repetition(failures))
                failures += 1
            else:
                self._until = self._doubtful_until = 0.0
                say("took this master back: it stops")
                # Whoever comes to the API server meanwhile is still served.
                time.sleep(LINGER_SECONDS)

    def _route(self) -> dict[str, object]:
        settings = self._settings
        route = TcpRoute(
            group=self._group,
            port=settings.port,
            backend_ip=settings.address,
            backend_port=settings.api.port,
            instance_id=self._mark(),
            ttl=self._ttl,
        )
        return route.mapped()

    def _mark(self) -> str:
        return f"{self._settings.owner}:{self._settings.instance}"

    def _where(self) -> str:
        return f"at port {self._settings.port} of {self._settings.group}"
