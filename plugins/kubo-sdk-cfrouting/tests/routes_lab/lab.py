"""Everything around the masters of one test: the API server, Cloud Foundry, NATS, and a router that listens there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..standin.site import Site
from .api_server import ApiServer
from .master import DOMAIN, OWNER, Master, settings_of
from .nats_server import NatsServer, Router
from .process import wait_for


class Lab:
    """API server and NATS serve all tests, all else is the test's own."""

    def __init__(self, directory: Path, api: ApiServer, nats: NatsServer) -> None:
        self.directory = directory
        self.api = api
        self.nats = nats
        self.site = Site(directory)
        self.site.start()
        self.router = Router(nats)
        self.masters: list[Master] = []

    def add_master(self, name: str = "master-0", **more: Any) -> Master:
        """It runs."""
        nats = more.pop("nats", [self.nats])
        base = more.pop("settings", {})
        settings = {**settings_of(name, self.api, self.site, nats, **more), **base}
        master = Master(self.directory, name, settings)
        self.masters.append(master)
        master.start()
        return master

    def close(self) -> None:
        for master in self.masters:
            master.close()
        self.router.close()
        self.site.stop()
        self.api.clear()

    def backends(self, port: int) -> dict[str, str]:
        """Behind a port of the TCP routers: whose each backend is."""
        found = [route for route in self.site.api.routes() if route["port"] == port]
        return {f"{route['backend_ip']}:{route['backend_port']}": route["instance_id"] for route in found}

    def wait_for_tcp(self, port: int, *backends: str) -> None:
        wait_for(
            lambda: set(self.backends(port)) == set(backends),
            f"port {port} leading to {backends}, it leads to {self.backends(port)};",
        )

    def wait_for_http(self, name: str, *backends: str) -> None:
        host = f"{name}.{DOMAIN}"
        wait_for(
            lambda: self.router.backends(host) == set(backends),
            f"{host} leading to {backends}, it leads to {self.router.backends(host)};",
        )

    def wait_for_event(self, service: str, text: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((event for event in self.api.events(service) if text in event["message"]), None)

        event = wait_for(found, f"an event on {service} that says {text!r}")
        assert event is not None
        return event

    def take_port(self, port: int, owner: str, backend: str = "192.0.2.7", backend_port: int = 80) -> dict[str, Any]:
        """Somebody else's route."""
        route = {
            "router_group_guid": self.site.group,
            "port": port,
            "backend_ip": backend,
            "backend_port": backend_port,
            "instance_id": owner,
        }
        self.site.api.save(route)
        return route


def mark(service: str) -> str:
    return f"{OWNER}:service:default/{service}"
