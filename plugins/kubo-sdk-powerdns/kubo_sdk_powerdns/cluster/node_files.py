"""What a worker gets: the agent with its certificate, both servers' configuration, and the units.  Pure."""

from __future__ import annotations

import json
from typing import Any

from kubo_sdk.ports.credentials import Certificate, value_of
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk_powerdns.cluster import paths
from kubo_sdk_powerdns.cluster.config import ClusterDnsConfig
from kubo_sdk_powerdns.cluster.server_config import recursor_config, server_config
from kubo_sdk_powerdns.cluster.units import (
    ACCOUNT,
    AGENT_UNIT,
    RECURSOR_UNIT,
    SERVER_UNIT,
    agent_unit,
    recursor_unit,
    server_unit,
)
from kubo_sdk_powerdns.cluster.zones import cluster_zones

CA, CERTIFICATE, KEY = f"{paths.CLIENT}-ca.crt", f"{paths.CLIENT}.crt", f"{paths.CLIENT}.key"


def worker_files(config: ClusterDnsConfig, context: NodeContext, agent: bytes) -> Contribution:
    """Other machines come and go without anything here being different."""
    address = str(context.spec.network.dns_service)
    client = value_of(context.credentials, f"cluster-dns-{context.instance.slug}", Certificate)
    server = NodeFile(path=paths.SERVER_CONFIG, content=server_config())
    recursor = NodeFile(path=paths.RECURSOR_CONFIG, content=recursor_config(address))
    of_agent = (
        NodeFile(path=paths.AGENT, content=agent),
        NodeFile(path=paths.SETTINGS, content=json.dumps(_settings(config, context), indent=2) + "\n"),
        NodeFile(path=CA, content=client.ca),
        NodeFile(path=CERTIFICATE, content=client.certificate),
        NodeFile(path=KEY, content=client.private_key, mode=0o600, owner=ACCOUNT),
    )
    # The account is declared, so that it is there before it owns a file.
    accounts = NodeFile(path=paths.ACCOUNTS, content=f'u {ACCOUNT} - "PowerDNS"\n')
    units = (
        Unit(name=AGENT_UNIT, text=agent_unit(), restart_on=tuple(file.path for file in of_agent)),
        Unit(name=SERVER_UNIT, text=server_unit(), restart_on=(server.path,)),
        Unit(name=RECURSOR_UNIT, text=recursor_unit(address), restart_on=(recursor.path,)),
    )
    return Contribution(files=(accounts, *of_agent, server, recursor), units=units)


def _settings(config: ClusterDnsConfig, context: NodeContext) -> dict[str, Any]:
    return {
        "access": {
            "url": f"https://{context.api.host}:{context.api.port}",
            "ca": CA,
            "certificate": CERTIFICATE,
            "key": KEY,
        },
        "zones": list(cluster_zones(context.spec)),
        "zone": context.spec.zone,
        "address": str(context.spec.network.dns_service),
        "server": paths.SERVER,
        "forward": [str(address) for address in config.forward],
        "run": paths.RUN,
        "snapshot": paths.SNAPSHOT,
    }
