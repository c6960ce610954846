"""The server's own API, on the machine's loopback."""

from __future__ import annotations

import http.client
import json
from typing import Any

from kubo_sdk_powerdns.managed.agent.settings import Settings

SECONDS = 5.0
BASE = "/api/v1/servers/localhost"


class ApiTrouble(Exception):
    """The server's API did not do what was asked.  ``status`` is 0 when it did not answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class ServerApi:
    """One request at a time, with the key of the server that runs now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def zones(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "/zones?dnssec=false")
        return found

    def zone(self, name: str) -> dict[str, Any] | None:
        """None when the server does not have it."""
        try:
            found: dict[str, Any] = self._ask("GET", f"/zones/{name}")
        except ApiTrouble as error:
            if error.status == http.client.NOT_FOUND:
                return None
            raise
        return found

    def create(self, zone: dict[str, Any]) -> None:
        self._ask("POST", "/zones?rrsets=false", zone)

    def change(self, name: str, rrsets: list[dict[str, Any]]) -> None:
        self._ask("PATCH", f"/zones/{name}", {"rrsets": rrsets})

    def delete(self, name: str) -> None:
        self._ask("DELETE", f"/zones/{name}")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._settings.api_port, timeout=SECONDS)
        try:
            headers = {"X-API-Key": self._settings.key.read_text(), "Accept": "application/json"}
            connection.request(method, BASE + path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise ApiTrouble(f"the server's API does not answer: {error}") from None
        finally:
            connection.close()
        if response.status >= http.client.MULTIPLE_CHOICES:
            raise ApiTrouble(f"{method} {path}: HTTP {response.status}: {text.strip()[:200]}", response.status)
        return json.loads(text) if text else None
