"""The files and the unit of one worker.  Pure but for the agent itself, which is handed in."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from kubo_sdk.errors import KuboError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import Certificate, Credential, User
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, StartAfter, Unit
from kubo_sdk_flannel.config import FlannelConfig, StoreKind
from kubo_sdk_flannel.network import network_config
from kubo_sdk_flannel.unit import UNIT_NAME, unit_text

AGENT = "/opt/kubo/flannel/agent.pyz"
DIRECTORY = "/etc/kubo/flannel"
SETTINGS = f"{DIRECTORY}/settings.json"
LOGIN = f"{DIRECTORY}/login.json"
CA = f"{DIRECTORY}/ca.crt"
CERTIFICATE = f"{DIRECTORY}/client.crt"
KEY = f"{DIRECTORY}/client.key"
ETCD_PORT = 2379

SECRET_MODE = 0o600

V = TypeVar("V")


def worker_files(config: FlannelConfig, context: NodeContext, agent: bytes) -> Contribution:
    """What the flannel agent of this worker needs."""
    files = (
        NodeFile(path=AGENT, content=agent),
        NodeFile(path=SETTINGS, content=json.dumps(_settings(config, context), indent=2) + "\n"),
        *(_etcd_credentials(context) if config.store is StoreKind.ETCD else _kubernetes_credentials(context)),
    )
    unit = Unit(
        name=UNIT_NAME,
        text=unit_text(AGENT, SETTINGS),
        restart_on=tuple(file.path for file in files),
        start_after=StartAfter.BOOT,
    )
    return Contribution(files=files, units=(unit,))


def _settings(config: FlannelConfig, context: NodeContext) -> dict[str, Any]:
    tls = {"ca": CA, "certificate": CERTIFICATE, "key": KEY}
    if config.store is StoreKind.KUBERNETES:
        kubernetes = {
            "server": f"https://{context.api.host}:{context.api.port}",
            "node": context.node_name,
            "network": network_config(config, context.spec.network.pods),
            **tls,
        }
        return {"public_ip": context.address, "kubernetes": kubernetes}
    endpoints = [f"https://{address}:{ETCD_PORT}" for _, address in context.peers(Role.ETCD)]
    # every worker starts with another member, so that they do not all lean on the first
    turn = context.instance.index % max(1, len(endpoints))
    etcd = {"endpoints": endpoints[turn:] + endpoints[:turn], "prefix": config.prefix, "login": LOGIN, **tls}
    return {"public_ip": context.address, "etcd": etcd}


def _etcd_credentials(context: NodeContext) -> tuple[NodeFile, ...]:
    login = _value(context, "etcd-overlay", User)
    text = json.dumps({"username": login.username, "password": login.password.reveal()})
    return (
        *_certificate_files(context, f"etcd-overlay-{context.instance.slug}"),
        NodeFile(path=LOGIN, content=Secret(text), mode=SECRET_MODE),
    )


def _kubernetes_credentials(context: NodeContext) -> tuple[NodeFile, ...]:
    return _certificate_files(context, f"overlay-{context.instance.slug}")


def _certificate_files(context: NodeContext, leaf: str) -> tuple[NodeFile, ...]:
    certificate = _value(context, leaf, Certificate)
    return (
        NodeFile(path=CA, content=certificate.ca),
        NodeFile(path=CERTIFICATE, content=certificate.certificate),
        NodeFile(path=KEY, content=certificate.private_key, mode=SECRET_MODE),
    )


def _value(context: NodeContext, leaf: str, kind: type[V]) -> V:
    credential: Credential | None = context.credentials.get(leaf)
    if credential is None or not isinstance(credential.value, kind):
        raise KuboError(f"flannel: {context.instance} was given no credential {leaf} of kind {kind.__name__.lower()}")
    return credential.value
