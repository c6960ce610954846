"""The network's configuration in flannel's own JSON, which any flanneld can read."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

from kubo_sdk_flannel.config import BackendKind, FlannelConfig


def network_config(config: FlannelConfig, pods: IPv4Network) -> dict[str, Any]:
    """What stands at ``<prefix>/config`` in etcd, or in net-conf.json where Kubernetes is the store."""
    document: dict[str, Any] = {"Network": str(pods)}
    if config.subnet_len is not None:
        document["SubnetLen"] = config.subnet_len
    return document | {"Backend": _backend(config)}


def network_text(config: FlannelConfig, pods: IPv4Network) -> bytes:
    """The same as bytes: no blanks, keys in flannel's order."""
    return json.dumps(network_config(config, pods), separators=(",", ":")).encode()


def _backend(config: FlannelConfig) -> dict[str, Any]:
    if config.backend is BackendKind.HOST_GW:
        return {"Type": "host-gw"}
    backend: dict[str, Any] = {"Type": "vxlan", "VNI": config.vni, "Port": config.port}
    if config.mtu is not None:
        backend["MTU"] = config.mtu
    if config.direct_routing:
        backend["DirectRouting"] = True
    return backend
