"""Connects managed mode: checks that the spec has machines for the server."""

from __future__ import annotations

from kubo_sdk.errors import ConfigError
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_powerdns.config import PowerdnsConfig
from kubo_sdk_powerdns.managed.bundle import agent_archive
from kubo_sdk_powerdns.managed.dns import ManagedPowerdns, server_instances


def connect(config: PowerdnsConfig, context: ConnectContext) -> Dns:
    """Raises ConfigError when no machine of the spec would answer."""
    servers = server_instances(context.spec, config.group)
    if not servers:
        problem = f"group: {config.group!r} has no instances" if config.group else "there is no proxy to answer names"
        raise ConfigError([f"dns: {problem}; name a group of the spec that has some in dns.group"])
    return ManagedPowerdns(config.group, config.forward, agent_archive, servers[0].role)
