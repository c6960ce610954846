"""A whole stand-in: CredHub and UAA on the loopback, the authority both show, and options that log in there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .authority import Authority
from .service import Credhub
from .uaa import Uaa
from .web import WebServer

LOGINS = ("client", "user", "mtls")


class Site:
    """Two servers, until `stop`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority()
        identity = self.authority.server(directory)
        self.uaa = Uaa()
        self.credhub = Credhub(self.uaa)
        self.uaa_server = WebServer(self.uaa, identity)
        self.server = WebServer(self.credhub, identity, client_authorities=self.authority.pem)
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_text(self.authority.pem)
        self.app_file = self.authority.app(directory)
        (directory / "client-secret").write_text(self.uaa.clients["kubo"].secret + "\n")
        (directory / "password").write_text(self.uaa.users["operator"].secret)

    def start(self) -> None:
        self.uaa_server.start()
        self.uaa.url = self.uaa_server.url
        self.server.start()

    def stop(self) -> None:
        self.server.stop()
        self.uaa_server.stop()

    def options(self, login: str = "client", **more: Any) -> dict[str, Any]:
        """What a spec says below credential_store."""
        ways: dict[str, dict[str, Any]] = {
            "client": {"client": "kubo", "client_secret": {"file": str(self.directory / "client-secret")}},
            "user": {"user": "operator", "password": {"file": str(self.directory / "password")}},
            "mtls": {"certificate_file": str(self.app_file), "key": {"file": str(self.app_file)}},
        }
        return {"url": self.server.url, "ca_file": str(self.ca_file), "timeout": 20.0, **ways[login], **more}
