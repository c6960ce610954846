"""The system accounts our daemons run as, made by systemd-sysusers where the stemcell has none."""

from __future__ import annotations

from kubo_sdk.ports.node import NodeFile

SYSUSERS_DIRECTORY = "/etc/sysusers.d"

KUBE = "kube"
ETCD = "etcd"


def account(name: str, purpose: str) -> NodeFile:
    """The declaration of one account without a login.  An account that exists is left as it is."""
    return NodeFile(path=f"{SYSUSERS_DIRECTORY}/kubo-{name}.conf", content=f'u {name} - "{purpose}"\n')
