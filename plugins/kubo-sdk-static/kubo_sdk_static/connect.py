"""Connect: from the options to the CPI, with the keys to log in read and the file checked against the spec."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from kubo_sdk.errors import ConfigError, KuboError
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cpi import Cpi
from kubo_sdk.ports.credentials import CredentialStore, KeyPair
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.ssh import SshConnections, SshHost
from kubo_sdk_static.choosing import wishes
from kubo_sdk_static.claiming import Claiming
from kubo_sdk_static.config import StaticConfig, check
from kubo_sdk_static.cpi import StaticCpi
from kubo_sdk_static.creation import Creation
from kubo_sdk_static.machines_file import JumpHost, Machine, MachinesFile, read_machines
from kubo_sdk_static.roll import Roll
from kubo_sdk_static.survey import Reach, Survey

KeyOf = Callable[[Path | None], Secret]


def connect(config: StaticConfig, context: ConnectContext) -> Cpi:
    """The CPI for this config; relative paths start at the spec's directory.  ConfigError when it cannot work."""
    check(config)
    file = read_machines((context.base_dir / config.machines).absolute())
    problems = _unfit(context.spec)
    if problems:
        raise ConfigError(problems)
    connections = SshConnections(connect_timeout=config.connect_timeout)
    key_of = cache(lambda path: login_key(path, config.login_credential, context.credential_store, file))
    hosts = ssh_hosts(file, key_of)
    return assemble(config, file, lambda machine: connections.shell(hosts[machine.name]))


def assemble(config: StaticConfig, file: MachinesFile, reach: Reach) -> StaticCpi:
    """The CPI over machines that *reach* opens shells to."""
    survey = Survey(file.machines, reach, config.connect_timeout)
    claiming = Claiming(file, reach)
    roll = Roll(file, survey, claiming)
    return StaticCpi(
        file, reach, survey, roll, claiming, Creation(roll, claiming), config.boot_timeout, config.restart_on_release
    )


def ssh_hosts(file: MachinesFile, key_of: KeyOf) -> dict[str, SshHost]:
    """How each machine is reached, by name."""
    jump = _jump_host(file.jump, key_of) if file.jump is not None else None
    return {machine.name: _ssh_host(machine, jump, key_of) for machine in file.machines}


def _ssh_host(machine: Machine, jump: SshHost | None, key_of: KeyOf) -> SshHost:
    host, port = machine.reached_at
    return SshHost(
        host=host,
        port=port,
        user=machine.user,
        key=key_of(machine.key_file),
        host_keys=machine.host_keys,
        jump=jump,
        name=machine.name,
    )


def _jump_host(jump: JumpHost, key_of: KeyOf) -> SshHost:
    return SshHost(
        host=jump.host,
        port=jump.port,
        user=jump.user,
        key=key_of(jump.key_file),
        host_keys=jump.host_keys,
        name="jump host",
    )


def login_key(path: Path | None, credential: str, store: CredentialStore | None, file: MachinesFile) -> Secret:
    """The private key to log in with: that of the file *path*, or else of the store.  ConfigError without one."""
    if path is not None:
        try:
            return Secret(path.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no key in text form"
            raise ConfigError([f"{file.path}: key_file {path} cannot be read: {reason}"]) from None
    if not credential:
        raise ConfigError(
            [f"{file.path}: key_file is missing; name the private key to log in with, or login_credential"]
        )
    if store is None:
        raise ConfigError(["cpi static: login_credential needs a credential store, and there is none here"])
    try:
        value = store.get(credential).value
    except KuboError as error:
        raise ConfigError([f"cpi static: login_credential {credential} cannot be read: {error}"]) from error
    if not isinstance(value, KeyPair):
        raise ConfigError([f"cpi static: login_credential {credential} must be of kind ssh or rsa"])
    return value.private_key


def _unfit(spec: ClusterSpec) -> list[str]:
    """What groups wish for that nobody can wish for.  Whether it is there, only `create_vm` asks."""
    problems: list[str] = []
    for group in spec.instance_groups:
        try:
            wishes(group.vm, group.name)
        except ConfigError as error:
            problems += error.problems
    return problems
