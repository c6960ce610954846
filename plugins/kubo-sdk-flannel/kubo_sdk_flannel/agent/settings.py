"""Settings: what the director wrote for this node, in one JSON file and a few PEM files beside it."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, NamedTuple

from kubo_sdk_flannel.agent.http import PATIENCE_SECONDS, Credentials

DAY = 86400.0
HOUR = 3600.0


class EtcdSettings(NamedTuple):
    """``login`` is the path of a JSON file with ``username`` and ``password``; empty where etcd has no users."""

    endpoints: tuple[str, ...]
    prefix: str
    tls: Credentials | None
    login: str
    lease_seconds: float = DAY
    renew_margin: float = HOUR
    patience: float = PATIENCE_SECONDS


class KubernetesSettings(NamedTuple):
    """``network`` is flannel's net-conf.json."""

    server: str
    node: str
    tls: Credentials | None
    network: str


class Settings(NamedTuple):
    """Exactly one of ``etcd`` and ``kubernetes`` is set."""

    public_ip: str
    etcd: EtcdSettings | None
    kubernetes: KubernetesSettings | None
    subnet_file: str
    cni_file: str
    state_file: str


class GateSettings(NamedTuple):
    """``tls`` holds the gate's own certificate and the CA of its callers; ``client_name`` is what they are called."""

    address: str
    port: int
    tls: Credentials
    client_name: str
    network: IPv4Network
    etcd: EtcdSettings


def load_gate(path: str) -> GateSettings:
    """Read the settings file of a gate.  Raises OSError, ValueError or KeyError; it was written by a program."""
    raw = json.loads(Path(path).read_text())
    return GateSettings(
        address=raw["address"],
        port=raw["port"],
        tls=Credentials(raw["ca"], raw["certificate"], raw["key"]),
        client_name=raw["client_name"],
        network=IPv4Network(raw["network"]),
        etcd=_etcd(raw["etcd"]),
    )


def load(path: str) -> Settings:
    """Read the settings file.  Raises OSError, ValueError or KeyError; it was written by a program."""
    raw = json.loads(Path(path).read_text())
    return Settings(
        public_ip=raw["public_ip"],
        etcd=_etcd(raw["etcd"]) if "etcd" in raw else None,
        kubernetes=_kubernetes(raw["kubernetes"]) if "kubernetes" in raw else None,
        subnet_file=raw.get("subnet_file", "/run/flannel/subnet.env"),
        cni_file=raw.get("cni_file", "/etc/cni/net.d/10-flannel.conflist"),
        state_file=raw.get("state_file", "/run/kubo/flannel.json"),
    )


def _etcd(raw: dict[str, Any]) -> EtcdSettings:
    return EtcdSettings(
        endpoints=tuple(raw["endpoints"]),
        prefix=raw["prefix"],
        tls=_tls(raw),
        login=raw.get("login", ""),
        lease_seconds=float(raw.get("lease_seconds", DAY)),
        renew_margin=float(raw.get("renew_margin", HOUR)),
        patience=float(raw.get("patience", PATIENCE_SECONDS)),
    )


def _kubernetes(raw: dict[str, Any]) -> KubernetesSettings:
    return KubernetesSettings(server=raw["server"], node=raw["node"], tls=_tls(raw), network=json.dumps(raw["network"]))


def _tls(raw: dict[str, Any]) -> Credentials | None:
    return Credentials(raw["ca"], raw["certificate"], raw["key"]) if "ca" in raw else None
