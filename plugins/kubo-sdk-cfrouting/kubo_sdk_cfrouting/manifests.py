"""The Kubernetes objects of the ingress: what the agents on masters may do.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]

KUBERNETES_USER = "kubo:cfrouting"
NAMESPACE, LEASE = "kube-system", "kubo-cf-routes"

_GROUP = "rbac.authorization.k8s.io"


def manifests() -> tuple[Object, ...]:
    """Know Services and what serves them, tell what is wrong with one, and elect a leader; nothing else."""
    reads, coordination = ["list", "watch"], "coordination.k8s.io"
    cluster_rules = [
        _rule("", ["services", "nodes"], reads),
        _rule("discovery.k8s.io", ["endpointslices"], reads),
        _rule("", ["events"], ["create", "get", "patch"]),
    ]
    # Who may create cannot be held to a name.
    lease_rules = [
        _rule(coordination, ["leases"], ["create"]),
        {**_rule(coordination, ["leases"], ["get", "update"]), "resourceNames": [LEASE]},
    ]
    local = {"name": KUBERNETES_USER, "namespace": NAMESPACE}
    return (
        _object("ClusterRole", {"name": KUBERNETES_USER}, rules=cluster_rules),
        _object("ClusterRoleBinding", {"name": KUBERNETES_USER}, **_binding("ClusterRole")),
        _object("Role", local, rules=lease_rules),
        _object("RoleBinding", local, **_binding("Role")),
    )


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _binding(kind: str) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": KUBERNETES_USER},
        "subjects": [{"apiGroup": _GROUP, "kind": "User", "name": KUBERNETES_USER}],
    }


def _object(kind: str, metadata: Object, **rest: Any) -> Object:
    return {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": metadata, **rest}
