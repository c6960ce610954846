"""BalancingConfig: the options of the ingress ``libcloud-lb``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from attrs import field, frozen, validators

from kubo_sdk.secret_source import SecretSource

# A classic balancer of AWS has at most so many listeners.
MOST_PORTS = 100
HIGHEST_PORT = 65535


class BalancingDriver(StrEnum):
    """The clouds whose balancers this plugin makes.  The word is the name of the section with its options, too."""

    EC2 = "ec2"


@frozen(kw_only=True)
class ElbConfig:
    """Classic load balancers of AWS.

    ``subnets``: one in each zone, of the machines' VPC; or, in a default VPC, ``zones``: the zones' names.
    ``internal``: the balancers have private addresses only.  ``access_key``, ``secret_key``, ``session_token``: as for
    machines.  ``host``, ``port``, ``secure`` and ``ca_file``: where an API of the same kind answers that is not
    Amazon's, for balancers and for security groups.
    """

    region: str = "us-east-1"
    subnets: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    internal: bool = False
    access_key: SecretSource = SecretSource(variable="AWS_ACCESS_KEY_ID")
    secret_key: SecretSource = SecretSource(variable="AWS_SECRET_ACCESS_KEY")
    session_token: SecretSource | None = None
    host: str = ""
    port: int | None = None
    secure: bool = True
    ca_file: Path | None = None

    def __attrs_post_init__(self) -> None:
        if bool(self.subnets) == bool(self.zones):
            raise ValueError("give exactly one of subnets (one in each zone) and zones (of the default VPC)")


@frozen(kw_only=True)
class BalancingConfig:
    """Options of the provider ``libcloud-lb``.

    ``service_ports``: the node ports that the second balancer, in front of the workers, passes on; none: there is no
    second balancer.  ``idle_timeout``: seconds after which a silent connection is cut; a quiet watch of the API is one.
    """

    driver: BalancingDriver
    service_ports: tuple[int, ...] = ()
    idle_timeout: int = field(default=3600, validator=[validators.ge(1), validators.le(4000)])
    ec2: ElbConfig | None = None

    def __attrs_post_init__(self) -> None:
        if getattr(self, self.driver) is None:
            raise ValueError(f"the section {self.driver} is missing, which the driver {self.driver} needs")
        wrong = [port for port in self.service_ports if not 0 < port <= HIGHEST_PORT]
        if wrong:
            raise ValueError(f"service_ports: {wrong[0]} is no port")
        if len(set(self.service_ports)) != len(self.service_ports) or len(self.service_ports) > MOST_PORTS:
            raise ValueError(f"service_ports must be at most {MOST_PORTS} different ports")
