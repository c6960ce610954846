"""Files made of credentials: certificates, keys and kubeconfigs.  A key lies in a file of its own, owner-only."""

from __future__ import annotations

from kubo_sdk.nodes import paths
from kubo_sdk.ports.credentials import Certificate, value_of
from kubo_sdk.ports.node import NodeContext, NodeFile

OWNER_ONLY = 0o600


def certificate_files(context: NodeContext, leaf: str, stem: str, owner: str = "root") -> tuple[NodeFile, NodeFile]:
    """``<stem>.crt`` and ``<stem>.key``."""
    found = value_of(context.credentials, leaf, Certificate)
    return (
        NodeFile(path=f"{stem}.crt", content=found.certificate),
        NodeFile(path=f"{stem}.key", content=found.private_key, mode=OWNER_ONLY, owner=owner),
    )


def authority_file(context: NodeContext, leaf: str, path: str) -> NodeFile:
    """The certificates that vouch for *leaf*: two of them while its authority is rotated."""
    return NodeFile(path=path, content=value_of(context.credentials, leaf, Certificate).ca)


def kubeconfig_file(who: str, server: str) -> NodeFile:
    """The kubeconfig of *who*, whose certificate lies at ``<PKI>/<who>.crt``.  It names files and holds no secret."""
    content = f"""\
apiVersion: v1
kind: Config
clusters:
- name: kubo
  cluster:
    server: {server}
    certificate-authority: {paths.CA}
users:
- name: {who}
  user:
    client-certificate: {paths.PKI}/{who}.crt
    client-key: {paths.PKI}/{who}.key
contexts:
- name: kubo
  context:
    cluster: kubo
    user: {who}
current-context: kubo
"""
    return NodeFile(path=paths.kubeconfig(who), content=content)
