"""A whole stand-in: UAA, routing API and TCP router at one address, the authority they show, and options for a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .authority import Authority
from .haproxy import Haproxy
from .routing_api import RoutingApi
from .tcp_router import TcpRouter
from .uaa import Uaa
from .web import WebServer


class Site:
    """Everything, from `start` to `stop`.  *routes*: whether there is a TCP router too."""

    def __init__(self, directory: Path, host: str = "127.0.0.1", *, routes: bool = False) -> None:
        self.directory = directory
        self.host = host
        self.authority = Authority()
        identity = self.authority.server(directory / "server.pem", host, "localhost")
        self.uaa = Uaa()
        self.api = RoutingApi(self.uaa)
        self.uaa_server = WebServer(self.uaa, identity, host)
        self.api_server = WebServer(self.api, identity, host)
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_text(self.authority.pem)
        self.secret_file = directory / "client-secret"
        self.secret_file.write_text(self.uaa.clients["kubo"].secret + "\n")
        self.router: TcpRouter | None = None
        self._routes = routes

    def start(self) -> None:
        self.uaa_server.start()
        self.uaa.url = self.uaa_server.url
        self.start_api()
        if self._routes:
            self.router = TcpRouter(
                uaa_url=self.uaa_server.url,
                api_url=self.api_server.url,
                ca_file=str(self.ca_file),
                haproxy=Haproxy(self.directory),
                group=self.group,
            )
            self.router.start()

    def start_api(self) -> None:
        self.api.start()
        self.api_server.start()

    def stop_api(self) -> None:
        self.api.stop()
        self.api_server.stop()

    def stop(self) -> None:
        if self.router is not None:
            self.router.stop()
        self.stop_api()
        self.uaa_server.stop()

    @property
    def group(self) -> str:
        """The guid of the group default-tcp."""
        return self.api.groups[0]["guid"]

    def options(self, **more: Any) -> dict[str, Any]:
        """What a spec says below ingress."""
        return {
            "routing_api": self.api_server.url,
            "uaa": self.uaa_server.url,
            "client": "kubo",
            "client_secret": {"file": str(self.secret_file)},
            "ca_file": str(self.ca_file),
            "tcp_domain": self.host,
            **more,
        }
