"""The Kubernetes objects of the cluster DNS.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]

KUBERNETES_USER = "kubo:cluster-dns"
NAMESPACE, SERVICE = "kube-system", "kube-dns"

_GROUP = "rbac.authorization.k8s.io"


def manifests(address: str) -> tuple[Object, ...]:
    """The rights of the agents, and the Service that reserves *address*."""
    return (_role(), _binding(), _service(address))


def _role() -> Object:
    """To know Services and their endpoints; nothing else."""
    reads = ["list", "watch"]
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": KUBERNETES_USER},
        "rules": [
            {"apiGroups": [""], "resources": ["services"], "verbs": reads},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": reads},
        ],
    }


def _binding() -> Object:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": KUBERNETES_USER},
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": KUBERNETES_USER},
        "subjects": [{"apiGroup": _GROUP, "kind": "User", "name": KUBERNETES_USER}],
    }


def _service(address: str) -> Object:
    """Every worker has *address* itself, so kube-proxy must leave it alone, which the label tells it.

    It has no selector: nothing answers in a pod.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": SERVICE,
            "namespace": NAMESPACE,
            "labels": {
                "k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true",
                "kubernetes.io/name": "PowerDNS",
                "service.kubernetes.io/service-proxy-name": "kubo-cluster-dns",
            },
        },
        "spec": {
            "clusterIP": address,
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP"},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
            ],
        },
    }
