"""The smallest machine type that a size fits into, where a cloud has a list of types.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from kubo_sdk.errors import QuotaExceeded
from kubo_sdk.model.spec import VmSize


@frozen(kw_only=True, order=True)
class MachineType:
    """One type on offer; the order is from small to large."""

    memory_mb: int
    cpus: int
    disk_mb: int
    name: str
    id: str


def smallest(types: Iterable[MachineType], size: VmSize, where: str) -> str:
    """The id of the smallest type with at least that size.  QuotaExceeded when there is none."""
    fitting = [each for each in types if each.cpus >= size.cpus and each.memory_mb >= size.memory_mb]
    if not fitting:
        raise QuotaExceeded(
            f"{where} has no machine type with {size.cpus} cpus and {size.memory_mb} MB; make the group's vm smaller"
        )
    return min(fitting).id
