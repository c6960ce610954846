"""connect: EC2 as the section ``ec2`` describes it, for the CPI and for the load balancers."""

from __future__ import annotations

import os
from pathlib import Path

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.secret_source import SecretSource
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.ec2.api import Api
from kubo_sdk_libcloud.clouds.ec2.cloud import Ec2Cloud
from kubo_sdk_libcloud.clouds.ec2.config import Ec2Config
from kubo_sdk_libcloud.clouds.ec2.driver import driver
from kubo_sdk_libcloud.clouds.ec2.groups import Groups
from kubo_sdk_libcloud.clouds.ec2.machines import SEEN_WITHIN, Machines
from kubo_sdk_libcloud.clouds.ec2.patience import AGAIN_SECONDS
from kubo_sdk_libcloud.clouds.ec2.places import Places
from kubo_sdk_libcloud.clouds.ec2.volumes import Volumes
from kubo_sdk_libcloud.firewall import routes_directly

_TOKEN = "AWS_SESSION_TOKEN"


def api_of(config: Ec2Config, base_dir: Path, patience: float = AGAIN_SECONDS) -> Api:
    """The API; ConfigError when a secret or file that is named is not there."""
    keys = keys_of(config, base_dir)
    ca_file = base_dir / config.ca_file if config.ca_file else None
    if ca_file is not None and not ca_file.is_file():
        raise ConfigError([f"cpi.ec2.ca_file: there is no file {ca_file}"])
    where = f"EC2 at {config.host}" if config.host else f"EC2 in {config.region}"
    return Api(drivers=PerThread(lambda: driver(config, keys, ca_file)), where=where, patience=patience)


def keys_of(config: Ec2Config, base_dir: Path) -> tuple[Secret, Secret, Secret | None]:
    """The access key, its secret and the session's token."""
    token = config.session_token
    if token is None and os.environ.get(_TOKEN):
        token = SecretSource(variable=_TOKEN)
    return (
        config.access_key.read("cpi.ec2.access_key", base_dir),
        config.secret_key.read("cpi.ec2.secret_key", base_dir),
        token.read("cpi.ec2.session_token", base_dir) if token is not None else None,
    )


def connect(
    config: Ec2Config,
    context: ConnectContext,
    *,
    patience: float = AGAIN_SECONDS,
    seen_within: float = SEEN_WITHIN,
) -> Ec2Cloud:
    """EC2 for the cluster of *context*.

    *patience*: seconds for which a question is asked again that is turned down.  *seen_within*: seconds for which EC2
    may not tell of what it has just made.
    """
    api = api_of(config, context.base_dir, patience)
    places = Places(api, config)
    groups = Groups(api=api, places=places)
    check = config.source_dest_check
    forwards = routes_directly(context.spec) if check is None else not check
    machines = Machines(
        api=api, config=config, places=places, groups=groups, forwards=forwards, seen_within=seen_within
    )
    return Ec2Cloud(
        image_id=config.image,
        zones=tuple(dict.fromkeys(instance.az for instance in context.spec.instances())),
        places=places,
        groups=groups,
        machines=machines,
        volumes=Volumes(api=api, config=config, places=places, seen_within=seen_within),
    )
