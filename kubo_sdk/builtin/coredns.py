"""Coredns: the cluster DNS as a Deployment of CoreDNS behind the Service every pod asks.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubo_sdk.builtin.coredns_config import CorednsConfig
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cluster_dns import ClusterDns, ClusterDnsInfo

Object = Mapping[str, Any]

REPOSITORY = "registry.k8s.io/coredns/coredns"
# The last one that also reads the EndpointSlices of Kubernetes 1.20.
FIRST_IMAGE, LAST_MINOR_OF_FIRST_IMAGE = "v1.9.3", 26
LATER_IMAGE = "v1.12.0"

NAMESPACE = "kube-system"
NAME = "coredns"
ROLE = "system:coredns"
SERVICE = "kube-dns"
SELECTOR = {"k8s-app": "kube-dns"}
HEALTH_PORT, READY_PORT, METRICS_PORT = 8080, 8181, 9153

_RBAC = "rbac.authorization.k8s.io"


class Coredns:
    """Nothing of it runs on the machines themselves, and its pods use a token of their own."""

    def __init__(self, config: CorednsConfig, spec: ClusterSpec) -> None:
        self._config = config
        self._spec = spec

    def info(self) -> ClusterDnsInfo:
        return ClusterDnsInfo()

    def manifests(self) -> tuple[Object, ...]:
        return (
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named(NAME)},
            _role(),
            _binding(),
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": _named(NAME),
                "data": {"Corefile": corefile(self._config, self._spec)},
            },
            self._deployment(),
            self._service(),
        )

    def _deployment(self) -> Object:
        template = {
            "metadata": {"labels": SELECTOR},
            "spec": {
                "serviceAccountName": NAME,
                "priorityClassName": "system-cluster-critical",
                "dnsPolicy": "Default",
                "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
                "affinity": _apart(),
                "containers": [_container(image(self._config, self._spec))],
                "volumes": [{"name": "config", "configMap": {"name": NAME}}],
            },
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {**_named(NAME), "labels": SELECTOR},
            "spec": {
                "replicas": self._config.replicas,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
                "selector": {"matchLabels": SELECTOR},
                "template": template,
            },
        }

    def _service(self) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                **_named(SERVICE),
                "labels": {**SELECTOR, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"},
            },
            "spec": {
                "selector": SELECTOR,
                "clusterIP": str(self._spec.network.dns_service),
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
                    {"name": "metrics", "port": METRICS_PORT, "protocol": "TCP"},
                ],
            },
        }


def image(config: CorednsConfig, spec: ClusterSpec) -> str:
    """The image that is pulled."""
    if config.image is not None:
        return config.image
    fits = FIRST_IMAGE if spec.kubernetes.version.minor <= LAST_MINOR_OF_FIRST_IMAGE else LATER_IMAGE
    return f"{REPOSITORY}:{fits}"


def corefile(config: CorednsConfig, spec: ClusterSpec) -> str:
    """CoreDNS's configuration.  Answers about the cluster are kept for five seconds."""
    upstream = " ".join(map(str, config.forward)) or "/etc/resolv.conf"
    reverse = f"{spec.network.services} {spec.network.pods}"
    return f"""\
.:53 {{
    errors
    health :{HEALTH_PORT} {{
        lameduck 5s
    }}
    ready :{READY_PORT}
    kubernetes {spec.network.domain} {reverse} {{
        pods insecure
        fallthrough in-addr.arpa
        ttl 5
    }}
    prometheus :{METRICS_PORT}
    forward . {upstream} {{
        max_concurrent 1000
    }}
    cache 30 {{
        disable success {spec.network.domain}
        disable denial {spec.network.domain}
    }}
    loop
    reload
    loadbalance
}}
"""


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE}


def _role() -> Object:
    reads = ["list", "watch"]
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ROLE},
        "rules": [
            {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": reads},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": reads},
        ],
    }


def _binding() -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": ROLE},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": ROLE},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _apart() -> Object:
    """On different workers where there are several."""
    term = {"labelSelector": {"matchLabels": SELECTOR}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _container(name: str) -> Object:
    return {
        "name": NAME,
        "image": name,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": HEALTH_PORT},
            "initialDelaySeconds": 60,
            "timeoutSeconds": 5,
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": READY_PORT}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }


_: type[ClusterDns] = Coredns
