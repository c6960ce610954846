"""Ingress: one stable address in front of changing machines.

A cluster asks for two endpoints: ``api`` (to the masters) and ``services`` (node ports, to the workers).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen


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
    """One endpoint, as found.

    ``members``: the ids, at the CPI, of the machines behind it, where a provider of the same infrastructure can tell;
    the core corrects an endpoint that has others than it should.
    """

    name: str
    host: str
    port: int
    members: frozenset[str] | None = field(default=None, eq=False)


@frozen(kw_only=True)
class IngressInfo:
    """``runs_on_proxies``: the provider runs on machines of the proxy group, so there must be one.

    It is a `NodeContributor` then; it keeps nothing elsewhere, and what it puts on the proxies changes with the
    backends, so that a unit there is restarted.

    ``api``: where the API is reached, when that follows from the provider's options alone because the masters register
    themselves.  It is a `NodeContributor` then, and what is registered ends by itself when nobody renews it.
    ``withdrawn_by``: its units on masters that do this: each takes its machine back when it is stopped, and is ordered
    after the API server, so that it stops first.
    ``serves_node_ports``: it makes the endpoint ``services``.  ``kubernetes_user``: the name it has towards the API on
    every master (certificate ``ingress-SLUG`` of the cluster's CA), None when it does not talk to it.
    """

    contract: int = 1
    runs_on_proxies: bool = False
    api: Endpoint | None = None
    withdrawn_by: tuple[str, ...] = ()
    serves_node_ports: bool = True
    kubernetes_user: str | None = None

    @property
    def self_registering(self) -> bool:
        """Whether the masters register themselves."""
        return self.api is not None


class Ingress(Protocol):
    """Deleting what is absent succeeds.  Another cluster's endpoint of the same name is another endpoint."""

    def info(self) -> IngressInfo: ...

    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        """Make the endpoint as requested, or change it to that, and return its stable address.

        The address stays the same until the endpoint is deleted, whatever its backends, of which there may be none.
        ``port`` is the first of the requested ports, unless ``info().api`` says another.  NotFound when it
        ``runs_on_proxies`` and none has an address.  Where masters register themselves it checks that they may.
        """
        ...

    def delete_endpoint(self, name: str) -> None: ...

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints this provider keeps outside the cluster's own machines; what nobody registered is none."""
        ...


@runtime_checkable
class IngressManifests(Protocol):
    """What an ingress can do beside: bring Kubernetes objects along."""

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        """Objects to apply once the API answers, such as RBAC.

        Always the same, each with apiVersion, kind and a name of its own; they bind no user but ``kubernetes_user``.
        """
        ...
