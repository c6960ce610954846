"""Version skew: which version of a program may follow or serve which.  A rule answers with a sentence, or none.  Pure.

An API server's stored objects go up one minor version at a time and never down, and so does etcd's data.  A kubelet is
never newer than the API servers, and not much older.
"""

from __future__ import annotations

import re

from kubo_sdk.model.version import KubernetesVersion

# (first minor version of the API server, how many minor versions a kubelet may be behind it)
KUBELET_LAG = ((28, 3), (0, 2))
# Older members of 3.5 may bring back members that were removed when they become 3.6.
LAST_3_5_BEFORE_3_6 = (3, 5, 20)
# The first minor version of Kubernetes that needs this containerd or a newer one.
CONTAINERD = ((26, (1, 6)),)

_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def why_no_step(have: KubernetesVersion, wish: KubernetesVersion) -> str:
    """Why API servers that run *have* cannot run *wish* next.  Empty: they can."""
    if wish.minor < have.minor:
        return (
            f"Kubernetes {have} does not go back to {wish}, which may not read what {have} stored; "
            f"write version {have} or a newer one, or restore a backup made with {wish}"
        )
    if wish.minor > have.minor + 1:
        return (
            f"Kubernetes {have} cannot become {wish} at once, for API servers go up one minor version at a time; "
            "kubo upgrade takes the versions between one after the other"
        )
    return ""


def kubelet_lag(api_server_minor: int) -> int:
    """How many minor versions a kubelet may be behind API servers of that minor version."""
    return next(lag for first, lag in KUBELET_LAG if api_server_minor >= first)


def why_no_kubelet(kubelet: KubernetesVersion, api_server: KubernetesVersion) -> str:
    """Why API servers of that version cannot serve a kubelet of the other.  Empty: they can."""
    if kubelet.minor > api_server.minor:
        return f"a kubelet of {kubelet} is newer than API servers of {api_server}; upgrade the masters first"
    if api_server.minor - kubelet.minor > kubelet_lag(api_server.minor):
        return (
            f"a kubelet of {kubelet} is too old for API servers of {api_server}; upgrade the workers to "
            f"1.{api_server.minor - kubelet_lag(api_server.minor)} or newer first"
        )
    return ""


def why_no_etcd(have: str, wish: str) -> str:
    """Why members of etcd *have* cannot be of *wish* next.  Empty: they can."""
    old, new = _numbers(have), _numbers(wish)
    if old is None or new is None:
        return ""
    if new[:2] < old[:2]:
        return f"etcd {have} does not go back to {wish}; use a release with etcd {old[0]}.{old[1]} or newer"
    if new[0] != old[0] or new[1] > old[1] + 1:
        return (
            f"etcd {have} cannot become {wish} at once, for it goes up one minor version at a time; "
            f"use a release with etcd {old[0]}.{old[1] + 1} first"
        )
    if old[:2] == (3, 5) and new[:2] == (3, 6) and old < LAST_3_5_BEFORE_3_6:
        return f"etcd {have} cannot become {wish}; use a release with etcd 3.5.20 or a newer 3.5 first"
    return ""


def why_no_containerd(have: str, wish: KubernetesVersion) -> str:
    """Why kubelets of *wish* cannot use containerd *have*.  Empty: they can, or nobody knows what it is."""
    found = _numbers(have)
    for minor, least in CONTAINERD:
        if found is not None and wish.minor >= minor and found[:2] < least:
            wanted = ".".join(map(str, least))
            return (
                f"Kubernetes {wish} needs containerd {wanted} or newer and machines have {have}; "
                "replace them with machines of a newer stemcell first"
            )
    return ""


def minors_between(have: KubernetesVersion, wish: KubernetesVersion) -> tuple[int, ...]:
    """The minor versions to stop at on the way from *have* to *wish*, neither of them included."""
    return tuple(range(have.minor + 1, wish.minor))


def _numbers(version: str) -> tuple[int, int, int] | None:
    """``(3, 5, 21)``; None for what is no version."""
    found = _NUMBERS.match(version.removeprefix("v"))
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
