"""The methods of ``kubo-cpi`` by name: BOSH's version 2, and the extension for the provider `bosh`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kubo_sdk.errors import KuboError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_boshcpi import extension
from kubo_sdk_boshcpi.faults import Unsupported
from kubo_sdk_boshcpi.protocol import HIGHEST_VERSION, Request
from kubo_sdk_boshcpi.server.disks import DiskMethods
from kubo_sdk_boshcpi.server.settings import Settings
from kubo_sdk_boshcpi.server.vms import VmMethods

# What a director may ask for and a CPI of kubo_sdk cannot do.
UNSUPPORTED = (
    "configure_networks",
    "create_network",
    "delete_network",
    "delete_snapshot",
    "resize_disk",
    "snapshot_disk",
    "update_disk",
)
STEMCELL = "kubo"

Method = Callable[..., Any]


def methods(settings: Settings, request: Request) -> dict[str, Method]:
    """Every method, for one request."""
    extended = request.context.get(extension.KEY)
    vms = VmMethods(settings, extended if isinstance(extended, Mapping) else None, request.api_version or 1)
    disks = DiskMethods(settings, vms)
    table: dict[str, Method] = {
        "info": lambda: _info(settings),
        "ping": lambda: "pong",
        "create_stemcell": lambda _image, _properties, *_env: STEMCELL,
        "delete_stemcell": lambda _stemcell: None,
        extension.PREPARE: lambda director, name: _prepare(settings, ClusterId(director=director, name=name)),
        extension.DISPOSE: lambda director, name: _dispose(settings, ClusterId(director=director, name=name)),
        extension.LIST_VMS: vms.list_vms,
        extension.LIST_DISKS: disks.list_disks,
    }
    of_vms = "create_vm delete_vm has_vm reboot_vm set_vm_metadata calculate_vm_cloud_properties"
    of_disks = "create_disk delete_disk has_disk attach_disk detach_disk get_disks set_disk_metadata"
    table |= {name: getattr(vms, name) for name in of_vms.split()}
    table |= {name: getattr(disks, name) for name in of_disks.split()}
    return table | dict.fromkeys(UNSUPPORTED, _refuse)


def _info(settings: Settings) -> dict[str, Any]:
    """Version and formats; what the CPI behind can do is left out while it cannot be connected."""
    found: dict[str, Any] = {"api_version": HIGHEST_VERSION, "stemcell_formats": ["kubo-light"]}
    try:
        return {**found, extension.KEY: extension.write_info(settings.connect(settings.default_cluster).info())}
    except KuboError:
        return found


def _prepare(settings: Settings, cluster: ClusterId) -> None:
    settings.connect(cluster).prepare(cluster)


def _dispose(settings: Settings, cluster: ClusterId) -> None:
    settings.connect(cluster).dispose(cluster)


def _refuse(*_arguments: Any) -> None:
    raise Unsupported("a CPI of kubo_sdk cannot do this")
