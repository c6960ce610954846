"""Services and EndpointSlices as an API server tells them."""

from __future__ import annotations

from typing import Any


def service(name: str, address: str = "None", *, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """One with that cluster IP; ``None`` makes it headless."""
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}
    own = {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ports": [port], **spec}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": own}


def external(name: str, target: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": target},
    }


def slice_of(
    service: str, *endpoints: dict[str, Any], name: str = "", namespace: str = "default", **more: Any
) -> dict[str, Any]:
    """The slice of a Service; *endpoints* come from `endpoint`."""
    metadata = {
        "name": name or f"{service}-abcde",
        "namespace": namespace,
        "labels": {"kubernetes.io/service-name": service},
    }
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    return {"metadata": metadata, "addressType": "IPv4", "ports": ports, "endpoints": list(endpoints), **more}


def endpoint(address: str, hostname: str | None = None, *, ready: bool | None = True) -> dict[str, Any]:
    found: dict[str, Any] = {"addresses": [address], "conditions": {"ready": ready}}
    return {**found, "hostname": hostname} if hostname else found
