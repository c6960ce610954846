"""Adopting: finds the spec of a cluster whose spec and journal are lost, and changes nothing.

It needs to be told where to look: the name, the CPI and the credential store, with their options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attrs import frozen
from cryptography import x509

from kubo_sdk.config import from_mapping
from kubo_sdk.config.written import spec_document
from kubo_sdk.errors import ConfigError, KuboError, NotFound
from kubo_sdk.kept_spec import kept_spec
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.observation import role_of
from kubo_sdk.planning.rebuilt import Remains, rebuilt_spec
from kubo_sdk.ports.cpi import Cpi, DiskCpi, Vm, VmState
from kubo_sdk.ports.credentials import Certificate, CredentialStore

# What the user must say, and what is believed when the kept spec says something else: it may have moved.
PLACE = ("name", "director", "cpi", "credential_store")
UNITS = {Role.MASTER: ("kube-apiserver", "kube-controller-manager"), Role.WORKER: ("kubelet",)}
READING_SECONDS = 10.0
# Only to have a complete spec to connect with; the version is not used.
SOME_VERSION = "1.20.0"


@frozen(kw_only=True)
class Found:
    """The spec that was found.  ``kept``: as it was, in the credential store; else worked out from what is left."""

    spec: ClusterSpec
    kept: bool


def starting_point(document: Mapping[str, Any]) -> ClusterSpec:
    """A spec just complete enough to connect with.  ConfigError where *document* does not say where to look."""
    missing = [key for key in ("name", "cpi") if key not in document]
    if missing:
        raise ConfigError([f"{' and '.join(missing)} missing; say which cluster to adopt, and where its machines are"])
    providers = {"dns": "hosts", "cluster_dns": "none"}
    kubernetes = {"kubernetes": {"version": SOME_VERSION}}
    return from_mapping({**providers, **kubernetes, **{key: document[key] for key in PLACE if key in document}})


def find_spec(start: ClusterSpec, cpi: Cpi, store: CredentialStore) -> Found:
    """The spec of the cluster that *start* names.  NotFound when nothing of it is there."""
    own = {key: value for key, value in spec_document(start).items() if key in PLACE}
    kept = kept_spec(store, start.id)
    if kept is not None:
        return Found(spec=from_mapping({**kept, **own}), kept=True)
    vms = cpi.list_vms(start.id)
    if not vms:
        raise NotFound(
            f"nothing of cluster {start.id} is at CPI {start.cpi.provider!r}, nor a spec in its credential store; "
            "check its name, its director and the options of both"
        )
    return Found(spec=from_mapping({**rebuilt_spec(start.id, _remains(start, cpi, store, vms)), **own}), kept=False)


def _remains(start: ClusterSpec, cpi: Cpi, store: CredentialStore, vms: tuple[Vm, ...]) -> Remains:
    return Remains(
        vms=vms,
        disks=cast(DiskCpi, cpi).list_disks(start.id) if cpi.info().disks else (),
        units={name: text for role, names in UNITS.items() for name, text in _units(cpi, vms, role, names)},
        hostnames=_hostnames(start, store, vms),
    )


def _units(cpi: Cpi, vms: tuple[Vm, ...], role: Role, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """The texts of units on the first machine of *role* that answers."""
    for vm in vms:
        if role_of(vm) is role and vm.state is VmState.RUNNING:
            shell = cpi.open_shell(vm)
            try:
                return [(name, _text(shell.run(_cat(name), timeout=READING_SECONDS).stdout)) for name in names]
            except KuboError:
                continue
    return []


def _cat(unit: str) -> list[str]:
    return ["cat", f"/etc/systemd/system/{unit}.service"]


def _text(output: bytes) -> str:
    return output.decode(errors="replace")


def _hostnames(start: ClusterSpec, store: CredentialStore, vms: tuple[Vm, ...]) -> tuple[str, ...]:
    for vm in vms:
        if role_of(vm) is Role.MASTER:
            leaf = f"apiserver-{vm.instance.replace('/', '-')}"
            try:
                value = store.get(start.id.credential(leaf)).value
            except NotFound:
                continue
            if isinstance(value, Certificate):
                return _names_in(value.certificate)
    return ()


def _names_in(pem: str) -> tuple[str, ...]:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(names.get_values_for_type(x509.DNSName))
