"""The architecture of machines, in the words that Kubernetes, Debian and container images share."""

from __future__ import annotations

import platform

from kubo_sdk.errors import HostError

KNOWN = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x"}


def host_architecture() -> str:
    """The architecture of this host.  HostError when Kubernetes is not published for it."""
    machine = platform.machine()
    if machine not in KNOWN:
        raise HostError(f"there is no Kubernetes for {machine} machines; run this on one of {', '.join(KNOWN)}")
    return KNOWN[machine]
