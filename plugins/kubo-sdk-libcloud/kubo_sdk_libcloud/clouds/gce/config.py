"""GceConfig: the section ``gce`` of the options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen, validators

from kubo_sdk.secret_source import SecretSource


@frozen(kw_only=True)
class GceConfig:
    """Where machines are made, and from what.

    ``project``: the id of the project.  ``zones``: what the zones of the spec are, ``z1: europe-west1-b``.
    ``credentials``: the JSON of a service account's key; left out, the director is a machine of GCE and uses the
    account it runs as.  ``image``: like ``projects/debian-cloud/global/images/family/debian-12``.
    ``network``, ``subnetwork``: where machines are (a subnetwork like ``regions/europe-west1/subnetworks/kubo``).
    ``machine_type``: where neither the size nor the cloud_properties of a group say one.  ``disk_type``: of all disks.
    ``public_addresses``: machines get one.  ``ip_forward``: on where the overlay routes pod addresses without
    encapsulation.  ``endpoint`` and ``ca_file``: where the API answers if not at Google's own address.
    """

    project: str = field(validator=validators.matches_re(r"[a-z][a-z0-9:.-]{4,}"))
    zones: Mapping[str, str] = field(hash=False, validator=validators.min_len(1))
    credentials: SecretSource | None = None
    image: str = field(
        default="projects/debian-cloud/global/images/family/debian-12",
        validator=validators.matches_re(r"projects/[^/]+/global/images/(family/)?[^/]+"),
    )
    network: str = "global/networks/default"
    subnetwork: str = ""
    machine_type: str = ""
    root_gb: int = field(default=20, validator=validators.ge(10))
    disk_type: str = "pd-balanced"
    public_addresses: bool = False
    ip_forward: bool = False
    endpoint: str = ""
    ca_file: Path | None = None
