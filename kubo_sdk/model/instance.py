"""Instance: a slot with an identity.  The machine that fills it now is a `Vm` (ports.cpi)."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class Role(StrEnum):
    """What an instance group is for."""

    ETCD = "etcd"
    MASTER = "master"
    WORKER = "worker"
    PROXY = "proxy"


@frozen(kw_only=True, order=True)
class ClusterId:
    """Who owns a cluster and what it is called."""

    director: str
    name: str

    def __str__(self) -> str:
        return f"{self.director}/{self.name}"

    def credential(self, leaf: str) -> str:
        """The credential store name of *leaf*: ``/<director>/<cluster>/<leaf>``."""
        return f"/{self.director}/{self.name}/{leaf}"


@frozen(kw_only=True)
class Instance:
    """One slot of a group: ``worker/0``."""

    group: str
    index: int
    role: Role
    az: str

    @property
    def id(self) -> str:
        """The name people use: ``worker/0``."""
        return f"{self.group}/{self.index}"

    @property
    def slug(self) -> str:
        """The id where a slash is not allowed, as in host names and labels: ``worker-0``."""
        return f"{self.group}-{self.index}"

    def __str__(self) -> str:
        return self.id
