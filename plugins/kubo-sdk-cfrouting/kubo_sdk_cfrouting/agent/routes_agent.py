"""Agent of the service routes: follows the cluster, and while it leads gives the routers what the Services ask for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from kubo_sdk_cfrouting.agent import routes_settings
from kubo_sdk_cfrouting.agent.election import Election, Standing
from kubo_sdk_cfrouting.agent.nats_client import NatsClient
from kubo_sdk_cfrouting.agent.routes_catalog import Catalog, View
from kubo_sdk_cfrouting.agent.routes_claims import backends, grant_hosts, mark_of, without_backends
from kubo_sdk_cfrouting.agent.routes_events import Reporter
from kubo_sdk_cfrouting.agent.routes_follow import Follower
from kubo_sdk_cfrouting.agent.routes_hosts import HttpRoute
from kubo_sdk_cfrouting.agent.routes_http import HttpRoutes
from kubo_sdk_cfrouting.agent.routes_journal import Journal, Led
from kubo_sdk_cfrouting.agent.routes_kubernetes import Kubernetes
from kubo_sdk_cfrouting.agent.routes_tcp import Backends, Place, TcpRoutes
from kubo_sdk_cfrouting.agent.routes_wishes import REFUSED, Complaint, HttpWish, Wishes, wishes_of
from kubo_sdk_cfrouting.agent.settings import Settings, routing_api
from kubo_sdk_cfrouting.agent.systemd import notify
from kubo_sdk_cfrouting.agent.trouble import RoutingError, Trouble, say

SERVICES, NODES = ("/api/v1/services",), ("/api/v1/nodes",)
# The second is what Kubernetes 1.20 has.
SLICES = ("/apis/discovery.k8s.io/v1/endpointslices", "/apis/discovery.k8s.io/v1beta1/endpointslices")

# Changes come in bursts.
SETTLE_SECONDS = 0.1
# In the life of a route.
RENEWALS = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0


class _Http(NamedTuple):
    routes: HttpRoutes
    client: NatsClient
    journal: Journal


class Agent:
    """Raises OSError, ValueError, KeyError, TypeError or RoutingError for settings or files that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.chosen = routes_settings.read(settings.services or {})
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self.prefix = f"{settings.owner}:service:"
        self._kubernetes = Kubernetes(settings.api)
        self._catalog = Catalog(self._wake.set)
        self._follow_trouble = [Trouble(f"follow {what}") for what in ("Services", "Nodes", "EndpointSlices")]
        self.election = Election(self._kubernetes, settings.instance, self.chosen.terms, self._wake.set)
        self._reporter = Reporter(self._kubernetes, settings.instance)
        place = Place(settings.group, settings.port, self.prefix, settings.ttl)
        self.tcp = TcpRoutes(routing_api(settings.cloud_foundry), place)
        self.http = self._http()
        self._trouble = Trouble("keep the TCP routes of Services")
        self._complaints = 0

    def _http(self) -> _Http | None:
        nats = self.chosen.nats
        if nats is None:
            return None
        routes = HttpRoutes(self.prefix, self.chosen.domain, self.chosen.listen, self._wake.set)
        return _Http(routes, NatsClient(nats.servers, nats.login, routes), Journal())

    def start(self) -> None:
        """Begin to follow, to listen and to take part in the election."""
        shelves = (self._catalog.services, self._catalog.nodes, self._catalog.slices)
        for paths, shelf, trouble in zip((SERVICES, NODES, SLICES), shelves, self._follow_trouble, strict=True):
            _start(Follower(self._kubernetes, paths, shelf, trouble).run)  # type: ignore[arg-type]
        _start(self.election.run, endless=False)
        if self.http is not None:
            _start(self.http.client.run, endless=False)

    def stop(self, *_: object) -> None:
        """Ends `run`; also a handler of signals."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Until `stop`."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            self._wake.clear()
            if self._pass():
                wait, pause = min(self.chosen.renew, self.tcp.ttl / RENEWALS), FIRST_PAUSE
            else:
                wait, pause = pause, min(2 * pause, LONGEST_PAUSE)
            self._tell()
            self._wait(wait)

    def _wait(self, seconds: float) -> None:
        """While it takes no part any more there is nothing to renew, but a lease ends without anybody saying so."""
        deadline = time.monotonic() + seconds
        standing = self.election.standing
        while not self._wake.wait(min(1.0, max(0.0, deadline - time.monotonic()))):
            if time.monotonic() >= deadline or self.election.standing is not standing:
                return
            self._tell()
        self._stopping.wait(SETTLE_SECONDS)

    def _pass(self) -> bool:
        """Whether all is as it should be."""
        standing = self.election.standing
        if standing is Standing.WAITING:
            return self._rest()
        try:
            if standing is Standing.HOLDING:
                return self._hold()
            return self._lead() if self._catalog.complete else True
        except RoutingError as error:
            self._trouble.begins(str(error))
        except OSError as error:
            self._trouble.begins(f"the client's secret cannot be read: {error}")
        return False

    def _rest(self) -> bool:
        self.tcp.rest()
        if self.http is not None:
            self.http.routes.rest()
            self.http.journal.forget()
        self._trouble.ends()
        return True

    def _hold(self) -> bool:
        if self.http is not None:
            self.http.routes.hold()
        self.tcp.hold()
        self._trouble.ends()
        return True

    def _lead(self) -> bool:
        """HTTP routes and TCP routes do not wait for each other."""
        view = self._catalog.view()
        wishes = [wishes_of(service) for service in sorted(view.services)]
        complaints = [complaint for each in wishes for complaint in each.complaints]
        addresses = _addresses(view)
        complaints += self._nowhere(wishes, addresses)
        complaints += self._lead_http([wish for each in wishes for wish in each.http], addresses)
        try:
            complaints += self.tcp.lead([wish for each in wishes for wish in each.tcp], addresses)
            self._trouble.ends()
        finally:
            told = self._reporter.report(complaints)
            self._complaints = len({complaint.service.key for complaint in complaints})
        return told

    def _nowhere(self, wishes: list[Wishes], addresses: Backends) -> list[Complaint]:
        asking = {wish.service for each in wishes for wish in each.tcp}
        asking |= {wish.service for each in wishes for wish in each.http}
        return [without_backends(service) for service in sorted(asking) if not addresses[service.key]]

    def _lead_http(self, wishes: list[HttpWish], addresses: Backends) -> tuple[Complaint, ...]:
        if self.http is None:
            text = "this cluster has no HTTP routes; have the operator name nats and app_domain, or take the wish away"
            return tuple(Complaint(wish.service, REFUSED, text) for wish in wishes)
        routes = self.http.routes
        granted, complaints = grant_hosts(wishes, self.prefix, self.chosen.domain, routes.hosts())
        led = self._http_routes(granted, addresses)
        routes.lead(led)
        self.http.journal.note(Led(each.host, self._service(each.mark), f"{each.address}:{each.port}") for each in led)
        self.http.client.wake()
        return complaints

    def _service(self, mark: str) -> str:
        return mark.removeprefix(self.prefix)

    def _http_routes(self, wishes: Iterable[HttpWish], addresses: Backends) -> list[HttpRoute]:
        domain = self.chosen.domain
        return [
            HttpRoute(f"{wish.name}.{domain}", address, wish.node_port, mark_of(wish.service, self.prefix))
            for wish in wishes
            for address in addresses[wish.service.key]
        ]

    def http_routes(self) -> list[HttpRoute]:
        """Whatever is asked for now, granted or not."""
        view = self._catalog.view()
        return self._http_routes(
            [wish for service in view.services for wish in wishes_of(service).http], _addresses(view)
        )

    def _tell(self) -> None:
        notify(f"STATUS={self.status()}")

    def status(self) -> str:
        """One line for ``systemctl status``.  While something is wrong it begins with ``!``: ``kubo status`` has it."""
        standing = self.election.standing
        if standing is Standing.WAITING:
            text = f"waiting: {self.election.leader or 'nobody'} leads"
            text += f", with {self.http.routes.heard_count} host names" if self.http is not None else ""
        else:
            text = f"{standing}: {self.tcp.count} TCP ports"
            text += f", {self.http.routes.count} host names" if self.http is not None else ""
            text += f", {self._complaints} Services cannot have theirs" if self._complaints else ""
        troubles = [trouble.told for trouble in (*self._follow_trouble, self._trouble)]
        troubles += [self.election.trouble, self._reporter.trouble]
        troubles += [self.http.client.trouble] if self.http is not None else []
        told = list(dict.fromkeys(told for told in troubles if told))
        return "; ".join([f"! {text}" if told else text, *told])


def _addresses(view: View) -> Backends:
    return {service.key: backends(service, view.nodes, view.endpoint_nodes) for service in view.services}


def _start(run: Callable[[], None], endless: bool = True) -> None:
    threading.Thread(target=_or_die, args=(run, endless), daemon=True).start()


def _or_die(run: Callable[[], None], endless: bool) -> None:
    """An agent that lost one of its threads would go on with what it knew."""
    try:
        run()
        if not endless:
            return
    except BaseException as error:
        say(f"a part of the agent failed: {error!r}")
        raise
    finally:
        if endless:
            os._exit(1)
