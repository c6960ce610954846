"""Connect: from the options to the CPI that fits the executable."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.ports.cpi import DiskCpi, Vm
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_boshcpi import extension, wishes
from kubo_sdk_boshcpi.client import Client
from kubo_sdk_boshcpi.config import BoshConfig, check
from kubo_sdk_boshcpi.executable import Executable, director_environment
from kubo_sdk_boshcpi.extended_cpi import ExtendedCpi
from kubo_sdk_boshcpi.ledger import Entry, Ledger
from kubo_sdk_boshcpi.ledger_cpi import LedgerCpi
from kubo_sdk_boshcpi.ledger_disks import LedgerDisks
from kubo_sdk_boshcpi.ledger_vms import LedgerVms
from kubo_sdk_boshcpi.redaction import Redactor, sensitive
from kubo_sdk_boshcpi.secret_options import Secrets, read_secrets
from kubo_sdk_boshcpi.shell import CommandShell
from kubo_sdk_boshcpi.stemcell import Stemcell

LEDGER = "boshcpi"
# What a shell command may need of the caller: its programs, its keys, its terminal.
_FOR_SHELLS = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "TERM")


def connect(config: BoshConfig, context: ConnectContext) -> DiskCpi:
    """The CPI for this config, after asking the executable for its version.  ConfigError when it cannot work."""
    config = _at_home(config, context.base_dir)
    check(config)
    secrets = read_secrets(config.secrets, context.base_dir)
    config = _filled(config, secrets)
    client = _client(config, secrets, context)
    described = client.describe()
    shells = _Shells(config)
    if config.extensions and described.extensions is not None:
        return ExtendedCpi(
            config=config,
            client=client,
            secrets=secrets,
            able=extension.read_info(described.extensions),
            shell_of=lambda vm: shells.open(vm, lambda: any(vm.id == there.id for there in _listed(client, vm))),
        )
    return _ledger_cpi(config, client, shells, secrets, context.state_dir / LEDGER)


def _at_home(config: BoshConfig, base_dir: Path) -> BoshConfig:
    """The config with its paths made absolute; they start at the directory of the spec."""
    image = config.stemcell_image
    return evolve(
        config,
        executable=(base_dir / config.executable).absolute(),
        stemcell_image=None if image is None else (base_dir / image).absolute(),
    )


def _filled(config: BoshConfig, secrets: Secrets) -> BoshConfig:
    """The config with the secrets where their names stood."""
    plain = (
        "context",
        "env",
        "process_environment",
        "cloud_properties",
        "azs",
        "disk_properties",
        "stemcell_properties",
    )
    filled: dict[str, Any] = {name: secrets.fill(getattr(config, name), name) for name in plain}
    networks = tuple(
        evolve(network, cloud_properties=secrets.fill(network.cloud_properties, f"networks: {network.name}"))
        for network in config.networks
    )
    return evolve(config, networks=networks, **filled)


def _client(config: BoshConfig, secrets: Secrets, context: ConnectContext) -> Client:
    executable = Executable(
        path=config.executable,
        arguments=config.arguments,
        environment={**director_environment(os.environ), **config.process_environment},
        timeout=config.timeout,
    )
    director = config.director_uuid or wishes.director_uuid(context.spec.director)
    stemcell = {"vm": {"stemcell": {"api_version": config.stemcell_api_version}}}
    known = (*secrets.texts(), *sensitive(config.context), *sensitive(config.process_environment))
    return Client(
        executable,
        {**config.context, "director_uuid": director, **stemcell},
        Redactor(known),
        config.api_version,
    )


def _ledger_cpi(config: BoshConfig, client: Client, shells: _Shells, secrets: Secrets, root: Path) -> DiskCpi:
    patience, clock = config.timeout, SystemClock()
    ledger = Ledger(root=root, patience=patience)
    stemcell = Stemcell(
        cid=config.stemcell,
        image=config.stemcell_image,
        properties=config.stemcell_properties,
        root=root,
        patience=patience,
    )
    vms = LedgerVms(config=config, client=client, ledger=ledger, stemcell=stemcell, secrets=secrets, clock=clock)

    def shell_of(entry: Entry) -> CommandShell:
        return shells.open(vms.vm(entry), lambda: ledger.read(entry) is not None and vms.exists(entry.cid))

    disks = LedgerDisks(config=config, client=client, ledger=ledger, vms=vms, shell_of=shell_of, clock=clock)
    return LedgerCpi(vms=vms, disks=disks, shell_of=shell_of)


def _listed(client: Client, vm: Vm) -> tuple[Vm, ...]:
    rows = client.call(extension.LIST_VMS, vm.cluster.director, vm.cluster.name, context=extension.marker())
    return tuple(extension.read_vm(row, vm.cluster) for row in rows)


@frozen
class _Shells:
    """Opens shells as the options say."""

    config: BoshConfig

    def open(self, vm: Vm, exists: Callable[[], bool]) -> CommandShell:
        config = self.config
        return CommandShell(
            template=config.shell_command,
            interactive=config.interact_command,
            unreachable=config.unreachable_codes,
            environment={name: os.environ[name] for name in _FOR_SHELLS if name in os.environ},
            address=vm.address,
            vm_cid=vm.id,
            instance=vm.instance,
            exists=exists,
        )
