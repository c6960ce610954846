"""ClusterDnsConfig: the options of the cluster DNS ``powerdns``."""

from __future__ import annotations

from ipaddress import IPv4Address

from attrs import frozen


@frozen(kw_only=True)
class ClusterDnsConfig:
    """``forward``: who is asked for names outside the cluster, instead of whom the workers themselves ask."""

    forward: tuple[IPv4Address, ...] = ()
