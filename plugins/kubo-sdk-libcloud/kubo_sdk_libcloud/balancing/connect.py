"""connect: the ingress of a spec's options, with the balancers of the cloud it names."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_libcloud.balancing.config import BalancingConfig, ElbConfig
from kubo_sdk_libcloud.balancing.elb import Elb, Keys, connection
from kubo_sdk_libcloud.balancing.ingress import BalancedIngress
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.ec2.api import Api
from kubo_sdk_libcloud.clouds.ec2.config import Ec2Config
from kubo_sdk_libcloud.clouds.ec2.driver import driver
from kubo_sdk_libcloud.clouds.ec2.groups import Groups
from kubo_sdk_libcloud.clouds.ec2.places import Places
from kubo_sdk_libcloud.clouds.transport import connection_class, existing


def connect(config: BalancingConfig, context: ConnectContext) -> BalancedIngress:
    """The ingress for this config.  ConfigError when a secret or file it names is not there."""
    assert config.ec2 is not None, "the config has the section of its driver"
    return BalancedIngress(
        context.spec.id,
        _elb(config.ec2, context),
        service_ports=frozenset(config.service_ports),
        idle_timeout=config.idle_timeout,
    )


def _elb(config: ElbConfig, context: ConnectContext) -> Elb:
    base, option = context.base_dir, "ingress.ec2"
    token = config.session_token.read(f"{option}.session_token", base) if config.session_token else None
    keys = (
        config.access_key.read(f"{option}.access_key", base),
        config.secret_key.read(f"{option}.secret_key", base),
        token,
    )
    ca_file = existing(config.ca_file, base)
    transport = connection_class(ca_file)
    return Elb(PerThread(lambda: connection(config, keys, transport)), _groups(config, keys, ca_file), config)


def _groups(config: ElbConfig, keys: Keys, ca_file: Path | None) -> Groups:
    """The security groups, which the CPI makes; nothing is ever made from this config, so it has no image."""
    machines = Ec2Config(image="", region=config.region, host=config.host, port=config.port, secure=config.secure)
    api = Api(drivers=PerThread(lambda: driver(machines, keys, ca_file)), where=f"EC2 in {config.region}")
    return Groups(api=api, places=Places(api, machines))
