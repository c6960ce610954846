"""The kube-proxy of a worker."""

from __future__ import annotations

import json
from typing import Any

from kubo_sdk.nodes import paths
from kubo_sdk.nodes.credential_files import certificate_files, kubeconfig_file
from kubo_sdk.nodes.flags import flags_for, valid_only
from kubo_sdk.nodes.gates import KUBE_PROXY, KUBE_PROXY_CONFIG
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, StartAfter, Unit
from kubo_sdk.systemd import service

WHO = "kube-proxy"
CONFIG = "/etc/kubernetes/kube-proxy.json"
HEALTH_PORT = 10256


def kube_proxy(context: NodeContext) -> Contribution:
    """kube-proxy, its certificate and its unit."""
    files = (
        kubeconfig_file(WHO, f"https://{context.api.host}:{context.api.port}"),
        *certificate_files(context, f"kube-proxy-{context.instance.slug}", f"{paths.PKI}/{WHO}"),
        NodeFile(path=CONFIG, content=json.dumps(config(context), indent=2) + "\n"),
    )
    unit = Unit(
        name="kube-proxy.service",
        text=_unit(context),
        restart_on=(*(file.path for file in files), paths.CA),
        start_after=StartAfter.API,
    )
    return Contribution(files=files, units=(unit,))


def config(context: NodeContext) -> dict[str, Any]:
    """The KubeProxyConfiguration of this instance, with what its version knows."""
    fields = {
        # The machine's own address saves a search for its Node, which may not be registered yet.
        "bindAddress": context.address,
        "clientConnection": {"kubeconfig": paths.kubeconfig(WHO)},
        "clusterCIDR": str(context.spec.network.pods),
        # Zero leaves the limits of connection tracking alone: inside a namespace they cannot be written.
        "conntrack": {"maxPerCore": 0, "min": 0},
        "healthzBindAddress": f"0.0.0.0:{HEALTH_PORT}",
        "hostnameOverride": context.node_name,
        "metricsBindAddress": "127.0.0.1:10249",
        "mode": "iptables",
    }
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": KUBE_PROXY_CONFIG,
        **valid_only(KUBE_PROXY_CONFIG, context.spec.kubernetes.version.minor, fields),
    }


def _unit(context: NodeContext) -> str:
    kubernetes = context.spec.kubernetes
    flags = flags_for(KUBE_PROXY, kubernetes.version.minor, {"config": CONFIG}, kubernetes.extra_args.get(KUBE_PROXY))
    return service(
        description=f"kube-proxy of {context.spec.id}", command=(context.release.binary("kube-proxy"), *flags)
    )
