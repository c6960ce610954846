"""AzureConfig: the section ``azure`` of the options."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen, validators

from kubo_sdk.secret_source import SecretSource


class Environment(StrEnum):
    """Microsoft's clouds, as libcloud calls them."""

    PUBLIC = "default"
    CHINA = "AzureChinaCloud"
    US_GOVERNMENT = "AzureUSGovernment"


@frozen(kw_only=True)
class AzureConfig:
    """Where machines are made, and from what.

    ``tenant``, ``client`` and ``client_secret``: the service principal that logs in to ``subscription``.
    ``resource_group``: where everything is made; it, the virtual ``network`` and its ``subnet`` must be there
    (``network_group``: the resource group of the network where it is another one).  ``image``: ``publisher:offer:sku:
    version``, or the id of an image.  ``vm_size``: where neither the size nor the cloud_properties of a group say one.
    ``zones``: what the zones of the spec are (``z1: "1"``); a zone that is not named is left to Azure.  ``disk_type``:
    of all disks.  ``ip_forward``: on where the overlay routes pod addresses without encapsulation.  ``endpoint`` and
    ``login_endpoint``: where the APIs answer if not where ``environment`` says; ``ca_file``: their authorities.
    """

    tenant: str = field(validator=validators.min_len(1))
    subscription: str = field(validator=validators.min_len(1))
    client: str = field(validator=validators.min_len(1))
    client_secret: SecretSource
    resource_group: str = field(validator=validators.min_len(1))
    location: str = field(validator=validators.matches_re(r"[a-z0-9]+"))
    network: str = field(validator=validators.min_len(1))
    subnet: str = field(validator=validators.min_len(1))
    network_group: str = ""
    image: str = field(
        default="Debian:debian-12:12-gen2:latest",
        validator=validators.matches_re(r"[^:]+(:[^:]+){3}|/subscriptions/.+"),
    )
    vm_size: str = ""
    zones: Mapping[str, str] = field(factory=dict, hash=False)
    root_gb: int = field(default=30, validator=validators.ge(30))
    disk_type: str = "StandardSSD_LRS"
    ip_forward: bool = False
    environment: Environment = Environment.PUBLIC
    endpoint: str = ""
    login_endpoint: str = ""
    ca_file: Path | None = None
