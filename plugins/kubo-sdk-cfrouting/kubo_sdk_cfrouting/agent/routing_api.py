"""RoutingApi: router groups and TCP routes of Cloud Foundry's routing API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from kubo_sdk_cfrouting.agent.https import Answer, Https
from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError
from kubo_sdk_cfrouting.agent.uaa import Uaa

SCOPES = ("routing.router_groups.read", "routing.routes.read", "routing.routes.write")

# What tells one mapping from another.  A delete that does not repeat all of it deletes nothing, and says so nowhere.
KEY = (
    "router_group_guid",
    "port",
    "backend_ip",
    "backend_port",
    "backend_tls_port",
    "backend_sni_hostname",
    "enable_backend_mtls",
)

Mapped = Mapping[str, Any]


class RouterGroup(NamedTuple):
    """``ports``: what may be used, as the server writes it: ``1024-1123,2000``."""

    guid: str
    name: str
    type: str
    ports: str


class TcpRoute(NamedTuple):
    """One mapping as we make it: traffic to *port* of the routers goes to one backend, for *ttl* seconds."""

    group: str
    port: int
    backend_ip: str
    backend_port: int
    instance_id: str
    ttl: int = 0

    def mapped(self) -> dict[str, Any]:
        """As the server wants it.  Whether the backend speaks TLS is left open, so TLS is passed through."""
        body: dict[str, Any] = {
            "router_group_guid": self.group,
            "port": self.port,
            "backend_ip": self.backend_ip,
            "backend_port": self.backend_port,
            "instance_id": self.instance_id,
        }
        return {**body, "ttl": self.ttl} if self.ttl else body


class RoutingApi:
    """Raises RoutingError.  A token that is not taken any more is replaced once.  Thread-safe."""

    def __init__(self, https: Https, uaa: Uaa) -> None:
        self.url = https.url
        self._https = https
        self._uaa = uaa

    def router_groups(self, name: str = "") -> tuple[RouterGroup, ...]:
        """Every router group, or those of that *name*; a name may stand for several types."""
        query = f"?{urlencode({'name': name})}" if name else ""
        answer = self._send("GET", f"/router_groups{query}", "read router groups")
        if name and answer.status == 404:
            return ()
        found = self._checked(answer, "read router groups")
        return tuple(
            RouterGroup(
                str(each["guid"]), str(each["name"]), str(each["type"]), str(each.get("reservable_ports") or "")
            )
            for each in found
        )

    def routes(self) -> tuple[Mapped, ...]:
        """Every TCP route there is, whoever made it."""
        what = "read TCP routes"
        return tuple(self._checked(self._send("GET", "/tcp_routes", what), what))

    def register(self, routes: Sequence[Mapped]) -> None:
        """Make the routes, or keep them alive for another TTL.  REFUSED routes are refused as a whole."""
        if routes:
            what = "register TCP routes"
            self._checked(self._send("POST", "/tcp_routes/create", what, [dict(each) for each in routes]), what)

    def unregister(self, routes: Sequence[Mapped]) -> None:
        """Delete routes, exactly these: what was registered, or what `routes` told.  Absent ones are no error."""
        if routes:
            what = "delete TCP routes"
            self._checked(self._send("POST", "/tcp_routes/delete", what, [key_of(each) for each in routes]), what)

    def _send(self, method: str, path: str, what: str, body: Any = None) -> Answer:
        text = None if body is None else json.dumps(body).encode()
        token = self._uaa.token()
        answer = self._ask(method, path, text, token)
        if answer.status == 401:
            fresh = self._uaa.another(token)
            if fresh is not None:
                answer = self._ask(method, path, text, fresh)
        if answer.status == 401:
            raise self._unauthorized(answer, what)
        return answer

    def _ask(self, method: str, path: str, text: bytes | None, token: str) -> Answer:
        headers = {"Authorization": f"bearer {token}", "Accept": "application/json"}
        if text is not None:
            headers["Content-Type"] = "application/json"
        return self._https.ask(method, f"/routing/v1{path}", headers, text)

    def _checked(self, answer: Answer, what: str) -> Any:
        """What an answer that is a success says, None for an empty one."""
        if answer.status in (200, 201, 204):
            try:
                return answer.json() if answer.body.strip() else None
            except ValueError:
                raise RoutingError(Kind.AWAY, f"{self.url} answers something that is no JSON; check the url") from None
        text = f"the routing API {self.url} cannot {what}: HTTP {answer.status}, {explanation(answer)}"
        if answer.status == 404:
            raise RoutingError(Kind.MISSING, f"{text}; check the url")
        if answer.status in (400, 409, 422):
            raise RoutingError(Kind.REFUSED, text)
        raise RoutingError(Kind.AWAY, f"{text}; it is tried again")

    def _unauthorized(self, answer: Answer, what: str) -> RoutingError:
        """The same status for a bad token and for a missing scope, so what the UAA told decides which sentence."""
        scopes = self._uaa.scopes
        missing = [] if scopes is None else [scope for scope in SCOPES if scope not in scopes]
        if missing:
            remedy = f"its authorities lack {' and '.join(missing)}; add them in the UAA"
        else:
            remedy = f"check that it trusts this UAA, and that the client has {', '.join(SCOPES)}"
        said = f"the routing API {self.url} does not let the client {self._uaa.client} {what}: {explanation(answer)}"
        return RoutingError(Kind.SCOPE, f"{said}; {remedy}")


def key_of(route: Mapped) -> dict[str, Any]:
    """What must be repeated to delete *route*."""
    return {word: route[word] for word in KEY if word in route}


def explanation(answer: Answer) -> str:
    """What the server says about it, cut short."""
    try:
        said = answer.json()
        text = f"{said['name']}: {said['message']}"
    except (ValueError, KeyError, TypeError):
        text = answer.body.decode(errors="replace").strip()
    return " ".join(text.split())[:300] or "no explanation"
