"""Where things lie on a machine.  Whoever renders two files that name each other takes the path from here."""

from __future__ import annotations

PKI = "/etc/kubernetes/pki"
CA = f"{PKI}/ca.crt"
FRONT_PROXY_CA = f"{PKI}/front-proxy-ca.crt"
ETCD_CA = f"{PKI}/etcd-ca.crt"
SERVICE_ACCOUNT_KEY = f"{PKI}/service-account.key"
SERVICE_ACCOUNT_PUBLIC_KEY = f"{PKI}/service-account.pub"

ETCD_PKI = "/etc/etcd/pki"

DISK = "/var/lib/kubo/disk"

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def kubeconfig(who: str) -> str:
    """The kubeconfig of one client: ``scheduler``, ``kubelet``."""
    return f"/etc/kubernetes/{who}.kubeconfig"
