"""What a master gets: the agent, its settings, what proves it to Cloud Foundry and to the API, and the unit.  Pure."""

from __future__ import annotations

import json
from typing import Any

from attrs import field, frozen

from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.credentials import Certificate, value_of
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk_cfrouting import paths
from kubo_sdk_cfrouting.config import CfRoutingConfig
from kubo_sdk_cfrouting.units import ACCOUNT, UNIT, agent_unit

SECRET_MODE = 0o600


@frozen(kw_only=True)
class Belongings:
    """What the options point at, read: PEM, empty where an option is left out."""

    secret: Secret
    ca: str = ""
    certificate: str = ""
    key: Secret = field(factory=lambda: Secret(""))


def owner_of(spec: ClusterSpec) -> str:
    """How every route of the cluster begins to be called."""
    return f"kubo:{spec.id}"


def master_files(
    config: CfRoutingConfig,
    belongings: Belongings,
    context: NodeContext,
    agent: bytes,
) -> Contribution:
    """Other machines come and go without anything here being different."""
    client = value_of(context.credentials, f"ingress-{context.instance.slug}", Certificate)
    # The account is declared, so that it is there before it owns a file.
    accounts = NodeFile(path=paths.ACCOUNTS, content=f'u {ACCOUNT} - "Kubernetes and Cloud Foundry routing"\n')
    files = (
        NodeFile(path=paths.AGENT, content=agent),
        NodeFile(path=paths.SETTINGS, content=json.dumps(agent_settings(config, context), indent=2) + "\n"),
        secret_file(paths.SECRET, belongings.secret),
        NodeFile(path=paths.API_CA, content=context.ca),
        NodeFile(path=paths.API_CERTIFICATE, content=client.certificate),
        secret_file(paths.API_KEY, client.private_key),
        *_cloud_foundry(config, belongings),
    )
    unit = Unit(name=UNIT, text=agent_unit(), restart_on=tuple(file.path for file in files))
    return Contribution(files=(accounts, *files), units=(unit,))


def _cloud_foundry(config: CfRoutingConfig, belongings: Belongings) -> tuple[NodeFile, ...]:
    ca = (NodeFile(path=paths.CF_CA, content=belongings.ca),) if config.ca_file else ()
    if not config.certificate_file:
        return ca
    return (
        *ca,
        NodeFile(path=paths.CF_CERTIFICATE, content=belongings.certificate),
        secret_file(paths.CF_KEY, belongings.key),
    )


def secret_file(path: str, content: Secret) -> NodeFile:
    """For the agents' account alone."""
    return NodeFile(path=path, content=content, mode=SECRET_MODE, owner=ACCOUNT)


def agent_settings(config: CfRoutingConfig, context: NodeContext) -> dict[str, Any]:
    """What both agents of a master have to know."""
    shows = bool(config.certificate_file)
    return {
        "cloud_foundry": {
            "routing_api": config.routing_api,
            "uaa": config.uaa,
            "client": config.client,
            "secret": paths.SECRET,
            "trust": {
                "ca": paths.CF_CA if config.ca_file else "",
                "certificate": paths.CF_CERTIFICATE if shows else "",
                "key": paths.CF_KEY if shows else "",
            },
            "timeout": config.timeout,
        },
        "group": config.router_group,
        "port": context.api.port,
        "ttl": config.ttl,
        "address": context.address,
        "owner": owner_of(context.spec),
        "instance": context.instance.id,
        "api": {
            "host": context.address,
            "port": context.spec.kubernetes.api_port,
            "ca": paths.API_CA,
            "certificate": paths.API_CERTIFICATE,
            "key": paths.API_KEY,
        },
    }
