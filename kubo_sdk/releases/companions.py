"""Companions: the etcd and the pause image that go with each minor version of Kubernetes.

etcd is the newest of a sane line rather than what kubeadm pins: 3.5.0 to 3.5.2 lose data, and members of 3.5 have to be
at 3.5.20 or newer before they can go to 3.6.
"""

from __future__ import annotations

from attrs import frozen

from kubo_sdk.model.version import KubernetesVersion

ETCD_3_5 = "3.5.21"
ETCD_3_6 = "3.6.8"
FIRST_MINOR_ON_ETCD_3_6 = 34

PAUSE_REPOSITORY = "registry.k8s.io/pause"
PAUSE = (
    (36, "3.10.2"),
    (34, "3.10.1"),
    (31, "3.10"),
    (26, "3.9"),
    (25, "3.8"),
    (24, "3.7"),
    (23, "3.6"),
    (22, "3.5"),
    (21, "3.4.1"),
    (20, "3.2"),
)

STEMCELL_ETCD = {"etcd": "/usr/bin/etcd", "etcdctl": "/usr/bin/etcdctl"}
STEMCELL_ETCD_VERSION = "3.4.23"


@frozen(kw_only=True)
class Companions:
    etcd_version: str
    pause_image: str


def companions(version: KubernetesVersion) -> Companions:
    """What goes with *version*; versions newer than the table get its newest line."""
    pause = next(tag for minor, tag in PAUSE if version.minor >= minor)
    etcd = ETCD_3_6 if version.minor >= FIRST_MINOR_ON_ETCD_3_6 else ETCD_3_5
    return Companions(etcd_version=etcd, pause_image=f"{PAUSE_REPOSITORY}:{pause}")
