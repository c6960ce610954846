"""Ec2Config: the section ``ec2`` of the options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen, validators

from kubo_sdk.secret_source import SecretSource


@frozen(kw_only=True)
class Ec2Zone:
    """A zone of the spec: EC2's ``zone`` and the ``subnet`` in it; what is left out is EC2's choice."""

    zone: str = ""
    subnet: str = ""


@frozen(kw_only=True)
class Ec2Config:
    """Where machines are made, and from what.

    ``image``: the id of a Debian or Ubuntu image with cloud-init.  ``access_key``, ``secret_key`` and, for temporary
    credentials, ``session_token``: by default the environment's AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
    AWS_SESSION_TOKEN.  ``zones``: what the zones of the spec are; a zone that is not named is EC2's own name for one.
    ``vpc``: by default the one of the subnets, or the default VPC.  ``instance_type``: where neither the size nor the
    cloud_properties of a group say one.  ``root_mb``: the root volume; ``volume_type``: of all volumes.
    ``encrypted``: volumes are encrypted with the account's key.  ``public_addresses``: machines get one.
    ``source_dest_check``: false lets machines send what pods sent; by default only where the overlay routes directly.
    ``imds_v2``: machines ask for their user data with a session, and pods cannot; false where the API knows no such.
    ``host``, ``port``, ``secure`` and ``ca_file``: where an API of the same kind answers that is not Amazon's.
    """

    image: str
    region: str = "us-east-1"
    access_key: SecretSource = SecretSource(variable="AWS_ACCESS_KEY_ID")
    secret_key: SecretSource = SecretSource(variable="AWS_SECRET_ACCESS_KEY")
    session_token: SecretSource | None = None
    zones: Mapping[str, Ec2Zone] = field(factory=dict, hash=False)
    vpc: str = ""
    instance_type: str = ""
    root_mb: int = field(default=20480, validator=validators.ge(8192))
    volume_type: str = "gp3"
    encrypted: bool = True
    public_addresses: bool = False
    source_dest_check: bool | None = None
    imds_v2: bool = True
    host: str = ""
    port: int | None = None
    secure: bool = True
    ca_file: Path | None = None
