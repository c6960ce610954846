"""What a Service asks for: its labels and annotations read as wished routes, and as complaints where they are wrong.

Pure.  ``tcp-route-sync: "9000"`` and ``http-route-sync: shop`` are for a Service with one TCP port; the annotations
``kubo-sdk/tcp-routes: '{"web": 9000}'`` and ``kubo-sdk/http-routes: '{"web": "shop"}'`` say it for each port, which
they call by its name or its number.  In place of one port or name there may be a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from kubo_sdk_cfrouting.agent.routes_objects import (
    HTTP_ANNOTATION,
    HTTP_LABEL,
    TCP_ANNOTATION,
    TCP_LABEL,
    Port,
    Service,
)

# Reasons of events.
BAD, REFUSED, TAKEN, NOWHERE = "BadRoute", "RouteRefused", "RouteTaken", "RouteWithoutNodes"

EXPOSED = ("NodePort", "LoadBalancer")
LARGEST_PORT = 65535

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

T = TypeVar("T")


class TcpWish(NamedTuple):
    """Traffic to *port* of the routers is to reach *node_port* of the nodes."""

    service: Service
    port: int
    node_port: int


class HttpWish(NamedTuple):
    """Requests for *name* below the domain of the apps are to reach *node_port* of the nodes."""

    service: Service
    name: str
    node_port: int


class Complaint(NamedTuple):
    """What a Service asks for and cannot have.  ``text``: what is wrong, and what to do."""

    service: Service
    reason: str
    text: str


class Wishes(NamedTuple):
    tcp: tuple[TcpWish, ...]
    http: tuple[HttpWish, ...]
    complaints: tuple[Complaint, ...]


class _Bad(Exception):
    """Carries a reason and a text."""

    def __init__(self, text: str, reason: str = BAD) -> None:
        super().__init__(text)
        self.reason = reason


class _Ask(NamedTuple):
    """One label and one annotation, as they are called and as they are written."""

    label: str
    labelled: str | None
    annotation: str
    annotated: str | None


def wishes_of(service: Service) -> Wishes:
    """Whatever the user wrote; what is right is granted although something beside it is wrong."""
    complaints: dict[Complaint, None] = {}
    tcp = _Ask(TCP_LABEL, service.tcp_label, TCP_ANNOTATION, service.tcp_annotation)
    http = _Ask(HTTP_LABEL, service.http_label, HTTP_ANNOTATION, service.http_annotation)
    ports = [TcpWish(service, port, node_port) for port, node_port in _collect(service, tcp, _port, complaints)]
    names = [HttpWish(service, name, node_port) for name, node_port in _collect(service, http, _name, complaints)]
    return Wishes(tuple(dict.fromkeys(ports)), tuple(dict.fromkeys(names)), tuple(complaints))


def _collect(
    service: Service, ask: _Ask, read: Callable[[Any], T], complaints: dict[Complaint, None]
) -> Iterator[tuple[T, int]]:
    """What is asked for, with the node port it is to reach."""
    asked: list[tuple[str, str | None, Any]] = []
    if ask.labelled is not None:
        asked.append((f"label {ask.label}", None, ask.labelled))
    if ask.annotated is not None:
        place = f"annotation {ask.annotation}"
        try:
            asked += [(place, key, value) for key, value in _entries(ask.annotated)]
        except _Bad as bad:
            complaints[Complaint(service, bad.reason, f"{place}: {bad}")] = None
    for place, key, value in asked:
        try:
            yield read(value), _node_port(service, key, ask.annotation)
        except _Bad as bad:
            complaints[Complaint(service, bad.reason, f"{place}: {bad}")] = None


def _entries(text: str) -> Iterator[tuple[str, Any]]:
    """Each port of the annotation with each of its values."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _Bad(f"{_shown(text)} is no JSON; write an object of ports") from None
    if not isinstance(found, dict):
        raise _Bad(f"{_shown(text)} is no JSON object; write an object of ports")
    return (
        (key, value) for key, values in found.items() for value in (values if isinstance(values, list) else [values])
    )


def _node_port(service: Service, key: str | None, annotation: str) -> int:
    """Of the port called *key*, or of the only one."""
    port = _only_port(service, annotation) if key is None else _called(service, key)
    if port.protocol != "TCP":
        raise _Bad(f"port {_title(port)} is {port.protocol}; the routers carry TCP only, take the route away", REFUSED)
    if service.type not in EXPOSED:
        raise _Bad(f"a Service of type {service.type} has no node ports; make it one of type NodePort", REFUSED)
    if not port.node_port:
        raise _Bad(f"port {_title(port)} has no node port; let the Service have node ports", REFUSED)
    return port.node_port


def _only_port(service: Service, annotation: str) -> Port:
    ports = [port for port in service.ports if port.protocol == "TCP"] or list(service.ports)
    if len(ports) == 1:
        return ports[0]
    if not ports:
        raise _Bad("the Service has no ports; give it one")
    names = ", ".join(map(_title, ports[:10]))
    raise _Bad(f"the Service has {len(ports)} ports ({names}); say which one with the annotation {annotation}")


def _called(service: Service, key: str) -> Port:
    ports = [port for port in service.ports if port.name == key] or [
        port for port in service.ports if str(port.number) == key
    ]
    if not ports:
        known = ", ".join(map(_title, service.ports[:10])) or "none"
        raise _Bad(f"there is no port {_shown(key)}; ports of the Service: {known}")
    return next((port for port in ports if port.protocol == "TCP"), ports[0])


def _title(port: Port) -> str:
    return port.name or str(port.number)


def _port(value: Any) -> int:
    """A port of the routers, written as a number or as a text."""
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(LARGEST_PORT))
    number = int(value) if digits else value
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= LARGEST_PORT:
        raise _Bad(f"{_shown(value)} is no port; write a number from 1 to {LARGEST_PORT}")
    return number


def _name(value: Any) -> str:
    """A host name's first word."""
    name = value.lower() if isinstance(value, str) else ""
    if not _NAME.fullmatch(name):
        raise _Bad(f"{_shown(value)} is no host name; write one word of letters, digits and hyphens, no domain")
    return name


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
