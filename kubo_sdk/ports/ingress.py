"""Ingress: one stable address in front of changing machines.

A cluster asks for two endpoints: ``api`` (to the masters) and ``services`` (node ports, to the workers).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from attrs import frozen


class Health(StrEnum):
    """How a backend proves that it may get traffic."""

    HTTPS_READYZ = "https-readyz"
    KUBE_PROXY = "kube-proxy"


@frozen(kw_only=True)
class Backend:
    """One machine behind an endpoint.  ``vm`` is its id at the CPI, for a provider of the same infrastructure."""

    instance: str
    address: str
    vm: str = ""


@frozen(kw_only=True)
class EndpointRequest:
    """One endpoint, as wished for.

    ``ports`` is an inclusive range of TCP ports; traffic to port N goes to port N of a backend.
    ``proxies`` are the addresses of the proxy group, for a provider that runs there.
    """

    name: str
    ports: tuple[int, int]
    backends: tuple[Backend, ...]
    health: Health
    proxies: tuple[Backend, ...] = ()


@frozen(kw_only=True)
class Endpoint:
    """One endpoint, as found."""

    name: str
    host: str
    port: int


@frozen(kw_only=True)
class IngressInfo:
    """``runs_on_proxies``: the provider runs on machines of the proxy group, so there must be one.

    It is a `NodeContributor` then; it keeps nothing elsewhere, and what it puts on the proxies changes with the
    backends, so that a unit there is restarted.
    """

    contract: int = 1
    runs_on_proxies: bool = False


class Ingress(Protocol):
    """Deleting what is absent succeeds.  Another cluster's endpoint of the same name is another endpoint."""

    def info(self) -> IngressInfo: ...

    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        """Make the endpoint as requested, or change it to that, and return its stable address.

        The address stays the same until the endpoint is deleted, whatever its backends, of which there may be none.
        ``port`` is the first of the requested ports.  NotFound when it ``runs_on_proxies`` and none has an address.
        """
        ...

    def delete_endpoint(self, name: str) -> None: ...

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints this provider keeps outside the cluster's own machines."""
        ...
