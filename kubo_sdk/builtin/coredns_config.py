"""Options of the cluster DNS ``coredns``."""

from __future__ import annotations

from ipaddress import IPv4Address

from attrs import field, frozen, validators


@frozen(kw_only=True)
class CorednsConfig:
    """``image``: without it, the one that fits the Kubernetes version; the workers must be able to pull it.

    ``replicas``: how many pods answer.  ``forward``: who is asked for names outside; without it, whoever the workers
    themselves ask.
    """

    image: str | None = None
    replicas: int = field(default=2, validator=validators.ge(1))
    forward: tuple[IPv4Address, ...] = ()
