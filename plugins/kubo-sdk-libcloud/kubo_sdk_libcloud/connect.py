"""connect: the CPI of a spec's options, with the cloud it names."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.ports.shell import Shell
from kubo_sdk.ssh import SshConnections, SshHost
from kubo_sdk_libcloud.clouds.cloud import Cloud
from kubo_sdk_libcloud.config import Bastion, LibcloudConfig
from kubo_sdk_libcloud.cpi import LibcloudCpi
from kubo_sdk_libcloud.disks import Disks
from kubo_sdk_libcloud.doors import Doors
from kubo_sdk_libcloud.firewall import rules
from kubo_sdk_libcloud.login import LoginKeys
from kubo_sdk_libcloud.machines import Machines


def cloud_of(config: LibcloudConfig, context: ConnectContext) -> Cloud:
    """The cloud of the chosen driver: ``connect(section, context)`` of its module ``clouds/<name>/connect.py``."""
    module: Any = import_module(f"kubo_sdk_libcloud.clouds.{config.driver}.connect")
    cloud: Cloud = module.connect(getattr(config, config.driver), context)
    return cloud


def connect(config: LibcloudConfig, context: ConnectContext) -> DiskCpi:
    """The CPI for this config.  ConfigError when a secret or file it names is not there."""
    connections = SshConnections()
    return assemble(config, context, cloud_of(config, context), connections.shell, connections.forget)


def assemble(
    config: LibcloudConfig,
    context: ConnectContext,
    cloud: Cloud,
    open_shell: Callable[[SshHost], Shell],
    forget_host: Callable[[SshHost], None],
) -> LibcloudCpi:
    """The CPI over *cloud*, whose machines are entered through *open_shell*."""
    clock, interval = SystemClock(), config.poll_interval
    login = LoginKeys(store=context.credential_store, directory=context.state_dir / "libcloud")
    doors = Doors(
        cloud=cloud,
        login=login,
        user=config.user,
        reach=config.reach,
        jump=_jump(config.bastion, context.base_dir),
        open_shell=open_shell,
        forget_host=forget_host,
        boot_timeout=config.boot_timeout,
        interval=interval,
        clock=clock,
    )
    return LibcloudCpi(
        cloud=cloud,
        rules=rules(context.spec, config.admin_cidrs, config.client_cidrs),
        machines=Machines(
            cloud=cloud,
            login=login,
            user=config.user,
            boot_timeout=config.boot_timeout,
            interval=interval,
            clock=clock,
        ),
        disks=Disks(
            cloud=cloud,
            shell_of=doors.shell,
            await_entry=doors.await_entry,
            timeout=config.volume_timeout,
            interval=interval,
            clock=clock,
        ),
        doors=doors,
        login=login,
    )


def _jump(bastion: Bastion | None, base_dir: Path) -> SshHost | None:
    if bastion is None:
        return None
    path = base_dir / bastion.key_file
    try:
        key = Secret(path.read_bytes())
    except OSError as error:
        raise ConfigError([f"cpi.bastion.key_file: {path} cannot be read: {error.strerror}"]) from None
    return SshHost(
        host=bastion.host,
        port=bastion.port,
        user=bastion.user,
        key=key,
        host_keys=(bastion.host_key,),
        name="the bastion",
    )
