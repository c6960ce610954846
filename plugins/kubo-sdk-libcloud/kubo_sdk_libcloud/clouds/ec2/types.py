"""Which type an EC2 machine has: the one that is named, or the cheapest of the table that its size fits into.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kubo_sdk.model.spec import VmSize
from kubo_sdk_libcloud.clouds.sizing import MachineType, smallest

DEFAULT = {"x86_64": "t3.medium", "arm64": "t4g.medium"}

# (family, cpus of the smallest, its memory, names) by architecture: burstable first, for it is the cheapest of a size.
_SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
_TIMES = (1, 2, 4, 8, 16, 24, 32, 48)
_BURSTABLE = (
    ("micro", 2, 1),
    ("small", 2, 2),
    ("medium", 2, 4),
    ("large", 2, 8),
    ("xlarge", 4, 16),
    ("2xlarge", 8, 32),
)
_FAMILIES = {
    "x86_64": ("t3", (("c6i", 4), ("m6i", 8), ("r6i", 16))),
    "arm64": ("t4g", (("c6g", 4), ("m6g", 8), ("r6g", 16))),
}


def instance_type(size: VmSize, default: str, architecture: str, where: str) -> str:
    """The name of the type.  QuotaExceeded when no type of the table is large enough."""
    named = size.cloud_properties.get("instance_type")
    if named:
        return str(named)
    if not size.cpus and not size.memory_mb:
        return default or DEFAULT.get(architecture, DEFAULT["x86_64"])
    return smallest(_table(architecture), size, where)


def _table(architecture: str) -> Iterator[MachineType]:
    burstable, families = _FAMILIES.get(architecture, _FAMILIES["x86_64"])
    for name, cpus, gigabytes in _BURSTABLE:
        yield _type(0, f"{burstable}.{name}", cpus, gigabytes)
    for rank, (family, gigabytes) in enumerate(families, 1):
        for name, times in zip(_SIZES, _TIMES, strict=True):
            if not (family.endswith("g") and name == "24xlarge"):
                yield _type(rank, f"{family}.{name}", 2 * times, gigabytes * times)


def _type(rank: int, name: str, cpus: int, gigabytes: int) -> MachineType:
    return MachineType(memory_mb=gigabytes * 1024, cpus=cpus, disk_mb=0, name=f"{rank}-{name}", id=name)
