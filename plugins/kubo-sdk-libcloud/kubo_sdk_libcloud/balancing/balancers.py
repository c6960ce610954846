"""Balancers: the little that every cloud does for the ingress, which compares what is wished with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import field, frozen

from kubo_sdk.model.instance import ClusterId


@frozen(kw_only=True)
class HealthCheck:
    """How a balancer asks a machine: ``target`` as the cloud writes it, every ``seconds``, out after ``failures``."""

    target: str
    seconds: int = 5
    timeout: int = 2
    failures: int = 2


@frozen(kw_only=True)
class Balancer:
    """One balancer, as found.  ``ports`` lead to the same ports of the ``members``, which are ids of machines."""

    name: str
    host: str
    ports: frozenset[int]
    members: frozenset[str]
    check: HealthCheck | None = None
    tags: Mapping[str, str] = field(factory=dict, hash=False)


class Balancers(Protocol):
    """Errors as those of a `kubo_sdk_libcloud.clouds.cloud.Cloud`.  Deleting what is absent succeeds."""

    def find(self, name: str) -> Balancer | None: ...

    def create(self, cluster: ClusterId, name: str, ports: frozenset[int], tags: Mapping[str, str]) -> None:
        """Make it, without members; one of that name that is there stays as it is."""
        ...

    def set_ports(self, name: str, *, add: frozenset[int], remove: frozenset[int]) -> None: ...

    def set_members(self, name: str, *, add: frozenset[str], remove: frozenset[str]) -> None: ...

    def set_check(self, name: str, check: HealthCheck) -> None: ...

    def set_idle_timeout(self, name: str, seconds: int) -> None: ...

    def delete(self, name: str) -> None: ...
