"""What a machine gets that answers the names: configuration, records, the agent, and their units.  Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Any

from kubo_sdk.model.instance import Instance
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk_powerdns.managed import paths
from kubo_sdk_powerdns.managed.records import records
from kubo_sdk_powerdns.managed.server_config import recursor_config, server_config
from kubo_sdk_powerdns.managed.units import (
    ACCOUNT,
    AGENT_UNIT,
    RECURSOR_UNIT,
    SERVER_UNIT,
    agent_unit,
    recursor_unit,
    server_unit,
)


def server_files(
    context: NodeContext, servers: Sequence[Instance], forward: Sequence[IPv4Address], agent: bytes
) -> Contribution:
    """*forward*: the resolvers for names outside the cluster.  Without any these are refused at once.

    The records restart nothing: the agent sees them change.
    """
    wished = records(context, servers)
    port = paths.BEHIND_PORT if forward else paths.DNS_PORT
    database = paths.database(disk=context.spec.group(context.instance.group).persistent_disk_mb > 0)
    config = NodeFile(path=paths.SERVER_CONFIG, content=server_config(context.address, port))
    settings = NodeFile(path=paths.SETTINGS, content=_json(_settings(context, database, bool(forward))))
    authority = NodeFile(path=paths.CLUSTER_CA, content=context.ca)
    program = NodeFile(path=paths.AGENT, content=agent)
    files = (
        NodeFile(path=paths.ACCOUNTS, content=f'u {ACCOUNT} - "PowerDNS"\n'),
        # Owned by the account, which is made before it owns anything.
        NodeFile(path=paths.RECORDS, content=_json(wished), owner=ACCOUNT),
        config,
        settings,
        authority,
        program,
    )
    server = Unit(name=SERVER_UNIT, text=server_unit(database), restart_on=(config.path,))
    keeper = Unit(name=AGENT_UNIT, text=agent_unit(), restart_on=(settings.path, authority.path, program.path))
    found = Contribution(files=files, units=(server, keeper))
    return found + _recursor(context, wished, forward) if forward else found


def _settings(context: NodeContext, database: str, forwards: bool) -> dict[str, Any]:
    return {
        "zone": f"{context.spec.domain}.",
        "address": context.address,
        "server_port": paths.BEHIND_PORT if forwards else paths.DNS_PORT,
        "recursor_port": paths.DNS_PORT if forwards else 0,
        "api_port": paths.API_PORT,
        "config": paths.CONFIG,
        "run": paths.RUN,
        "records": paths.RECORDS,
        "database": database,
        "ca": paths.CLUSTER_CA,
    }


def _recursor(context: NodeContext, wished: dict[str, Any], forward: Sequence[IPv4Address]) -> Contribution:
    zones = [zone["name"].rstrip(".") for zone in wished["zones"]]
    config = NodeFile(path=paths.RECURSOR_CONFIG, content=recursor_config(context.address, zones, forward))
    unit = Unit(name=RECURSOR_UNIT, text=recursor_unit(), restart_on=(config.path,))
    return Contribution(files=(config,), units=(unit,))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1) + "\n"
