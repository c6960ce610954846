"""Where everything of a cluster lies on this host, and what it is called.  Pure."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import ClusterId

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")


def digest(*parts: str, length: int = 8) -> str:
    """The first hexadecimal digits of a hash over *parts*."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]


@frozen(kw_only=True)
class Place:
    """One machine or disk by name: its cluster, its leaf in a path, and a mark that tells it from its successor."""

    cluster: ClusterId
    leaf: str
    mark: str

    @property
    def id(self) -> str:
        """The id that crosses the port: ``kubo/demo/worker-0/1a2b3c4d``."""
        return f"{self.cluster}/{self.leaf}/{self.mark}"

    @classmethod
    def parse(cls, id: str) -> Place | None:
        """Read an id; None when it is none of ours."""
        parts = id.split("/")
        if len(parts) != 4 or not all(_NAME.fullmatch(part) for part in parts):
            return None
        director, name, leaf, mark = parts
        return cls(cluster=ClusterId(director=director, name=name), leaf=leaf, mark=mark)


@frozen
class Layout:
    """Paths and kernel names below one root directory."""

    root: Path

    @property
    def mark(self) -> str:
        """Four digits that tell what belongs to this root from what belongs to others on the host."""
        return digest(str(self.root), length=4)

    def hash(self, cluster: ClusterId) -> str:
        """Twelve digits that part this cluster from all others on the host, those below other roots too."""
        return self.mark + digest(cluster.director, cluster.name)

    def bridge(self, cluster: ClusterId) -> str:
        """15 bytes, as many as the kernel takes for a link."""
        return f"kb-{self.hash(cluster)}"

    def veth(self, cluster: ClusterId, slug: str) -> str:
        return f"kv{self.mark}{digest(cluster.director, cluster.name, slug, length=9)}"

    def table(self, cluster: ClusterId) -> str:
        """What the cluster's packet filter rules are called by."""
        return f"kubo-{self.hash(cluster)}"

    def cgroup(self, cluster: ClusterId, slug: str = "") -> str:
        return f"kubo/{self.hash(cluster)}" + (f"/{slug}" if slug else "")

    def lock(self) -> Path:
        """Held while clusters come and go."""
        return self.directors() / ".lock"

    def cluster_lock(self, cluster: ClusterId) -> Path:
        """Held while machines get their addresses and disks."""
        return self.cluster(cluster) / "locks" / "cluster"

    def machine_lock(self, cluster: ClusterId, slug: str) -> Path:
        """Held while one machine starts, stops or goes."""
        return self.cluster(cluster) / "locks" / _safe(slug)

    def directors(self) -> Path:
        return self.root / "machines"

    def cluster(self, cluster: ClusterId) -> Path:
        return self.directors() / _safe(cluster.director) / _safe(cluster.name)

    def machine(self, cluster: ClusterId, slug: str) -> Path:
        return self.cluster(cluster) / _safe(slug)

    def disks(self, cluster: ClusterId) -> Path:
        return self.root / "disks" / _safe(cluster.director) / _safe(cluster.name)


def _safe(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError([f"{name!r} cannot be the name of a directory: use letters, digits, '.', '_' and '-'"])
    return name
