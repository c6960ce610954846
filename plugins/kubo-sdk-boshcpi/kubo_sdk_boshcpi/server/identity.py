"""Identity: whose machine it is, and which slot it fills, from what BOSH tells.

A cid holds the cluster, so every later call finds it without anything being remembered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve, fields_dict

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import ClusterId, Instance
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk_boshcpi.server.settings import Defaults

_INDEXES = 10**8


def cid(cluster: ClusterId, id: str) -> str:
    """The cid of the machine or disk *id* of *cluster*."""
    return f"{cluster.director}/{cluster.name}:{id}"


def parse_cid(cid: str) -> tuple[ClusterId, str] | None:
    """The reverse of `cid`; None for what is none."""
    owner, colon, leaf = cid.partition(":")
    director, slash, name = owner.partition("/")
    if not (colon and slash and leaf) or _name(director) != director or _name(name) != name:
        return None
    return ClusterId(director=director, name=name), leaf


def placed(env: Any, defaults: Defaults) -> Defaults:
    """*defaults* with the director, deployment and instance group that ``env.bosh.groups`` begins with."""
    groups = _groups(env)
    if len(groups) < 3:
        return defaults
    director, cluster, group = map(_name, groups[:3])
    return evolve(defaults, director=director, cluster=cluster, group=group)


def slot(place: Defaults, token: str) -> Instance:
    """The slot of a machine or disk.  BOSH tells no index, so a number made of the token stands for it."""
    return Instance(group=place.group, index=number_of(token), role=place.role, az=place.az)


def number_of(token: str) -> int:
    """A number of at most eight digits, the same for the same token."""
    return int.from_bytes(hashlib.sha256(token.encode()).digest()[:8], "big") % _INDEXES


def size_of(cloud_properties: Mapping[str, Any]) -> VmSize:
    """The size that `calculated` put into cloud properties; what is not of ours goes on to the CPI behind."""
    try:
        cpus, memory_mb = int(cloud_properties.get("cpus", 0)), int(cloud_properties.get("memory_mb", 0))
    except (TypeError, ValueError) as error:
        raise ConfigError(["cloud_properties: cpus and memory_mb must be whole numbers"]) from error
    rest = {name: value for name, value in cloud_properties.items() if name not in _OWN}
    return VmSize(cpus=cpus, memory_mb=memory_mb, cloud_properties=rest)


_OWN = ("cpus", "memory_mb", "ephemeral_disk_mb", *fields_dict(Defaults))


def calculated(requirements: Mapping[str, Any]) -> dict[str, int]:
    """The cloud properties for a machine of that many processors, RAM (MiB) and ephemeral disk (MB)."""
    names = {"cpu": "cpus", "ram": "memory_mb", "ephemeral_disk_size": "ephemeral_disk_mb"}
    try:
        return {name: int(requirements[key]) for key, name in names.items() if key in requirements}
    except (TypeError, ValueError) as error:
        raise ConfigError(["cpu, ram and ephemeral_disk_size must be whole numbers"]) from error


def vm_request(agent_id: str, cloud_properties: Mapping[str, Any], env: Any, defaults: Defaults) -> VmRequest:
    """The machine that a director asks for; its agent id is the token."""
    bosh = env.get("bosh") if isinstance(env, Mapping) else None
    tags = bosh.get("tags") if isinstance(bosh, Mapping) else None
    place = placed(env, defaults.said_by(cloud_properties))
    return VmRequest(
        cluster=ClusterId(director=place.director, name=place.cluster),
        instance=slot(place, agent_id),
        token=agent_id,
        size=size_of(cloud_properties),
        tags=tuple(sorted((str(name), str(value)) for name, value in (tags or {}).items())),
    )


def _name(text: str) -> str:
    """*text* where only letters, digits, dots, dashes and underscores are allowed, and no dot at its start."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip(".-") or "unnamed"


def _groups(env: Any) -> list[str]:
    bosh = env.get("bosh") if isinstance(env, Mapping) else None
    groups = bosh.get("groups") if isinstance(bosh, Mapping) else None
    return [str(group) for group in groups] if isinstance(groups, list) else []
