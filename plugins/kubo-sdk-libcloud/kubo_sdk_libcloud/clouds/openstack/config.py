"""OpenStackConfig: the section ``openstack`` of the options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen, validators

from kubo_sdk.secret_source import SecretSource


@frozen(kw_only=True)
class OpenStackConfig:
    """Where machines are made, and from what.

    ``auth_url``: Keystone's address, like ``https://cloud.example:5000``.  Either ``username``, ``password``,
    ``project`` and the domains, or ``application_credential`` (its id) with ``application_secret``.
    ``image`` and ``network``: the ids of a Debian or Ubuntu image with cloud-init and of a network with a DHCP subnet.
    ``flavor``: where a group's cloud_properties say none and its size is not set.  ``zones``: what the zones of the
    spec are; a zone that is not named is left to Nova.  ``root_gb``: boot from a volume of that size; 0: the flavor's
    own disk.  ``volume_type``: of persistent disks.  ``ca_file``: authorities of the API's certificates, by default
    those this host trusts.
    """

    auth_url: str = field(validator=validators.matches_re(r"https?://[^/\s]+(/\S*)?"))
    image: str = field(validator=validators.min_len(1))
    network: str = field(validator=validators.min_len(1))
    username: str = ""
    password: SecretSource | None = None
    project: str = ""
    user_domain: str = "Default"
    project_domain: str = "default"
    application_credential: str = ""
    application_secret: SecretSource | None = None
    region: str = ""
    flavor: str = ""
    zones: Mapping[str, str] = field(factory=dict, hash=False)
    root_gb: int = field(default=0, validator=validators.ge(0))
    volume_type: str = ""
    ca_file: Path | None = None

    def __attrs_post_init__(self) -> None:
        problem = next(_login_problems(self), None)
        if problem:
            raise ValueError(problem)


def _login_problems(config: OpenStackConfig) -> Iterator[str]:
    by_user = bool(config.username or config.password)
    by_credential = bool(config.application_credential or config.application_secret)
    if by_user == by_credential:
        yield "must have either username, password and project, or application_credential and application_secret"
    if by_user and not (config.username and config.password and config.project):
        yield "username, password and project belong together; give all three"
    if by_credential and not (config.application_credential and config.application_secret):
        yield "application_credential and application_secret belong together; give both"
