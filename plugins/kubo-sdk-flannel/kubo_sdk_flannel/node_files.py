"""The files and the unit of one machine: the agent on a worker, the gate on an etcd machine.  Pure."""

from __future__ import annotations

import json
from typing import Any

from kubo_sdk.model.instance import Role
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, StartAfter, Unit
from kubo_sdk_flannel import paths
from kubo_sdk_flannel.config import FlannelConfig, StoreKind
from kubo_sdk_flannel.credential_files import certificate_files, login_file, tls_settings
from kubo_sdk_flannel.manifests import KUBERNETES_USER
from kubo_sdk_flannel.network import network_config
from kubo_sdk_flannel.units import AGENT_UNIT, GATE_UNIT, agent_unit, gate_unit

GATE_PATIENCE = 3  # seconds; less than an agent has with the gate, so that it hears why


def worker_files(config: FlannelConfig, context: NodeContext, agent: bytes) -> Contribution:
    """What the flannel agent of this worker needs."""
    slug, unit = context.instance.slug, (AGENT_UNIT, agent_unit())
    program = NodeFile(path=paths.AGENT, content=agent)
    if config.store is StoreKind.ETCD:
        settings = _etcd_settings(config, context)
    else:
        settings = _kubernetes_settings(config, context)
    credentials = certificate_files(context, f"overlay-{slug}", paths.CLIENT)
    return _contribution(unit, paths.SETTINGS, settings, program, *credentials)


def gate_files(config: FlannelConfig, context: NodeContext, agent: bytes) -> Contribution:
    """What the gate of this etcd machine needs; nothing where workers do not come to etcd."""
    slug = context.instance.slug
    if config.store is not StoreKind.ETCD:
        return Contribution()
    etcd = {
        "endpoints": [f"https://{context.address}:{paths.ETCD_PORT}"],
        "prefix": config.prefix,
        "login": paths.GATE_LOGIN,
        "patience": GATE_PATIENCE,
        **tls_settings(paths.GATE_CLIENT),
    }
    settings = {
        "address": context.address,
        "port": paths.GATE_PORT,
        "client_name": KUBERNETES_USER,
        "network": str(context.spec.network.pods),
        **tls_settings(paths.GATE),
        "etcd": etcd,
    }
    credentials = (
        *certificate_files(context, f"overlay-gate-{slug}", paths.GATE),
        *certificate_files(context, f"etcd-overlay-{slug}", paths.GATE_CLIENT),
        login_file(context, "etcd-overlay", paths.GATE_LOGIN),
    )
    program = NodeFile(path=paths.AGENT, content=agent)
    return _contribution((GATE_UNIT, gate_unit()), paths.GATE_SETTINGS, settings, program, *credentials)


def _contribution(unit: tuple[str, str], path: str, settings: dict[str, Any], *files: NodeFile) -> Contribution:
    name, text = unit
    everything = (NodeFile(path=path, content=json.dumps(settings, indent=2) + "\n"), *files)
    restart_on = tuple(file.path for file in everything)
    return Contribution(
        files=everything,
        units=(Unit(name=name, text=text, restart_on=restart_on, start_after=StartAfter.BOOT),),
    )


def _kubernetes_settings(config: FlannelConfig, context: NodeContext) -> dict[str, Any]:
    kubernetes = {
        "server": f"https://{context.api.host}:{context.api.port}",
        "node": context.node_name,
        "network": network_config(config, context.spec.network.pods),
        **tls_settings(paths.CLIENT),
    }
    return {"public_ip": context.address, "kubernetes": kubernetes}


def _etcd_settings(config: FlannelConfig, context: NodeContext) -> dict[str, Any]:
    endpoints = [f"https://{address}:{paths.GATE_PORT}" for _, address in context.peers(Role.ETCD)]
    # every worker starts with another member, so that they do not all lean on the first
    turn = context.instance.index % max(1, len(endpoints))
    etcd = {
        "endpoints": endpoints[turn:] + endpoints[:turn],
        "prefix": config.prefix,
        **tls_settings(paths.CLIENT),
    }
    return {"public_ip": context.address, "etcd": etcd}
