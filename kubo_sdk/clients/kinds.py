"""Where Kubernetes keeps the objects of a kind: ``v1 Pod`` lies below ``/api/v1/namespaces/<namespace>/pods``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from kubo_sdk.errors import ProviderError


@frozen
class Resource:
    """What a kind is called in paths, and whether its objects live in namespaces."""

    plural: str
    namespaced: bool


# The kinds every cluster gets from us; all others are asked of the API server.
KINDS: Mapping[tuple[str, str], Resource] = {
    ("", "ConfigMap"): Resource("configmaps", True),
    ("", "Namespace"): Resource("namespaces", False),
    ("", "Node"): Resource("nodes", False),
    ("", "Pod"): Resource("pods", True),
    ("", "Secret"): Resource("secrets", True),
    ("", "Service"): Resource("services", True),
    ("", "ServiceAccount"): Resource("serviceaccounts", True),
    ("apps", "DaemonSet"): Resource("daemonsets", True),
    ("apps", "Deployment"): Resource("deployments", True),
    ("coordination.k8s.io", "Lease"): Resource("leases", True),
    ("rbac.authorization.k8s.io", "ClusterRole"): Resource("clusterroles", False),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): Resource("clusterrolebindings", False),
    ("rbac.authorization.k8s.io", "Role"): Resource("roles", True),
    ("rbac.authorization.k8s.io", "RoleBinding"): Resource("rolebindings", True),
}


def root_path(api_version: str) -> str:
    """Where an API version begins: ``/api/v1``, ``/apis/apps/v1``."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def known_resource(api_version: str, kind: str) -> Resource | None:
    """The resource of a kind in the table; None for any other."""
    group = api_version.rpartition("/")[0]
    return KINDS.get((group, kind))


def object_path(item: Mapping[str, Any], resource: Resource) -> str:
    """The path of one object.  A namespaced object without a namespace lies in ``default``."""
    metadata = item.get("metadata", {})
    name = metadata.get("name")
    if not name:
        raise ProviderError(f"a {item['kind']} without metadata.name cannot be sent to Kubernetes; give it a name")
    root = root_path(item["apiVersion"])
    if not resource.namespaced:
        return f"{root}/{resource.plural}/{name}"
    return f"{root}/namespaces/{metadata.get('namespace') or 'default'}/{resource.plural}/{name}"
