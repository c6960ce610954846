"""LibcloudConfig: the options of the CPI ``libcloud``.  Each cloud has its section in ``clouds/<name>/config.py``."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path

from attrs import field, frozen, validators

from kubo_sdk_libcloud.clouds.azure.config import AzureConfig
from kubo_sdk_libcloud.clouds.ec2.config import Ec2Config
from kubo_sdk_libcloud.clouds.gce.config import GceConfig
from kubo_sdk_libcloud.clouds.openstack.config import OpenStackConfig
from kubo_sdk_libcloud.clouds.vsphere.config import VsphereConfig


class Driver(StrEnum):
    """The clouds this plugin speaks to.  The word is the name of the section with its options, too."""

    AZURE = "azure"
    EC2 = "ec2"
    GCE = "gce"
    OPENSTACK = "openstack"
    VSPHERE = "vsphere"


class Reach(StrEnum):
    """By which of its addresses the director enters a machine."""

    PRIVATE = "private"
    PUBLIC = "public"


@frozen(kw_only=True)
class Bastion:
    """A machine that the director enters first.  ``host_key``: its public key, like ``ssh-ed25519 AAAA...``.

    ``key_file``: the private key that logs in there.
    """

    host: str
    user: str
    key_file: Path
    host_key: str
    port: int = 22


@frozen(kw_only=True)
class LibcloudConfig:
    """Options of the provider ``libcloud``.

    ``user``: who logs in; made by cloud-init with the right to sudo.  ``reach``: by which address the director enters
    machines; ``bastion``: through whom.  ``admin_cidrs``: where directors and administrators come from (SSH, etcd, the
    API); ``client_cidrs``: where else users of the API and of services come from.  ``boot_timeout``: seconds until a
    machine is up and can be entered.  ``volume_timeout``: seconds for a volume to be attached or detached.
    ``poll_interval``: seconds between two questions about the same machine or volume.
    """

    driver: Driver
    admin_cidrs: tuple[IPv4Network, ...]
    client_cidrs: tuple[IPv4Network, ...] = ()
    user: str = field(default="kubo", validator=validators.matches_re(r"[a-z_][a-z0-9_-]{0,31}"))
    reach: Reach = Reach.PRIVATE
    bastion: Bastion | None = None
    boot_timeout: float = field(default=600.0, validator=validators.gt(0))
    volume_timeout: float = field(default=180.0, validator=validators.gt(0))
    poll_interval: float = field(default=2.0, validator=validators.gt(0))
    azure: AzureConfig | None = None
    ec2: Ec2Config | None = None
    gce: GceConfig | None = None
    openstack: OpenStackConfig | None = None
    vsphere: VsphereConfig | None = None

    def __attrs_post_init__(self) -> None:
        if self.driver in (Driver.AZURE, Driver.OPENSTACK, Driver.VSPHERE) and self.reach is Reach.PUBLIC:
            raise ValueError(
                f"reach: the driver {self.driver} gives no public addresses; use a bastion, or a director inside"
            )
        if self.reach is Reach.PUBLIC and self.ec2 is not None and not self.ec2.public_addresses:
            raise ValueError("reach: machines have public addresses only where ec2.public_addresses is true")
        if not self.admin_cidrs:
            raise ValueError("admin_cidrs must name at least the network the director comes from, like 10.0.0.0/16")
        if getattr(self, self.driver) is None:
            raise ValueError(f"the section {self.driver} is missing, which the driver {self.driver} needs")
        others = [str(each) for each in Driver if each != self.driver and getattr(self, each) is not None]
        if others:
            raise ValueError(f"the section {others[0]} belongs to another driver than {self.driver}; leave it out")
