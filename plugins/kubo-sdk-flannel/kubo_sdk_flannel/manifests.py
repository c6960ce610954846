"""The rights of the agents towards the Kubernetes API, where that is their store.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KUBERNETES_USER = "kubo:flannel"

_GROUP = "rbac.authorization.k8s.io"


def role() -> Mapping[str, Any]:
    """To read Nodes and to write what belongs to flannel in their status; nothing else."""
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": KUBERNETES_USER},
        "rules": [
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
        ],
    }


def binding() -> Mapping[str, Any]:
    """The role for every agent."""
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": KUBERNETES_USER},
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": KUBERNETES_USER},
        "subjects": [{"apiGroup": _GROUP, "kind": "User", "name": KUBERNETES_USER}],
    }
