"""The Kubernetes objects a cluster of ours begins with, applied once its API answers.

They are made by ``super-admin``: nobody else has a right before these bindings are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.pki.identities import ADMIN_GROUP, KUBELET_CLIENT_USER


def bootstrap_objects(spec: ClusterSpec) -> tuple[Mapping[str, Any], ...]:
    """The bindings the PKI counts on: administrators by their group, and the API server's way to the kubelets."""
    return (
        _cluster_role_binding(spec, "kubo:cluster-admins", "cluster-admin", "Group", ADMIN_GROUP),
        _cluster_role_binding(
            spec, "kubo:apiserver-kubelet-client", "system:kubelet-api-admin", "User", KUBELET_CLIENT_USER
        ),
    )


def role_labels(role: Role) -> Mapping[str, str]:
    """The labels only an administrator may set on the Node of an instance."""
    return {f"node-role.kubernetes.io/{role}": ""} if role is Role.WORKER else {}


def _cluster_role_binding(spec: ClusterSpec, name: str, role: str, kind: str, subject: str) -> Mapping[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "annotations": {"kubo/cluster": str(spec.id)}},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": kind, "name": subject}],
    }
