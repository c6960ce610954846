"""Wishes: what a request of the core is in BOSH's words.  Pure; asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import ClusterId, Instance
from kubo_sdk.ports.cpi import VmRequest

_NAMESPACE = UUID("6b1f0f5e-5a0c-5d0e-9d5c-0b5f2c1d7a11")


def director_uuid(director: str) -> str:
    """The id of the director of that name, always the same."""
    return str(uuid5(_NAMESPACE, f"director {director}"))


def agent_id(cluster: ClusterId, token: str) -> str:
    """The agent id of the machine of *token*: the same for every try to make it."""
    return str(uuid5(_NAMESPACE, f"vm {cluster} {token}"))


def cloud_properties(
    calculated: Mapping[str, Any], common: Mapping[str, Any], azs: Mapping[str, Mapping[str, Any]], request: VmRequest
) -> dict[str, Any]:
    """The machine's cloud properties; what is said for the group beats the AZ, the AZ what is said for all."""
    az = request.instance.az
    if azs and az not in azs:
        raise ConfigError([f"cpi bosh: azs: the AZ {az!r} of {request.instance} is missing; known: {', '.join(azs)}"])
    return {**calculated, **common, **azs.get(az, {}), **request.size.cloud_properties}


def env(given: Mapping[str, Any], request: VmRequest) -> dict[str, Any]:
    """The environment for the machine's agent: groups and tags as a director writes them, then what is *given*."""
    director, deployment, group = request.cluster.director, request.cluster.name, request.instance.group
    bosh = {
        "group": f"{director}-{deployment}-{group}",
        "groups": [
            director,
            deployment,
            group,
            f"{director}-{deployment}",
            f"{deployment}-{group}",
            f"{director}-{deployment}-{group}",
        ],
        "tags": metadata(request.cluster, request.instance) | dict(request.tags),
    }
    return {**given, "bosh": {**bosh, **given.get("bosh", {})}}


def metadata(cluster: ClusterId, instance: Instance) -> dict[str, str]:
    """What marks a machine as the cluster's."""
    return {
        "director": cluster.director,
        "deployment": cluster.name,
        "id": instance.id,
        "job": instance.group,
        "instance_group": instance.group,
        "index": str(instance.index),
        "name": f"{instance.group}/{instance.index}",
    }


def vm_metadata(request: VmRequest, now: datetime) -> dict[str, str]:
    """The metadata of a new machine."""
    marks = metadata(request.cluster, request.instance)
    return {**dict(request.tags), **marks, "kubo_token": request.token, "created_at": now.isoformat(timespec="seconds")}


def disk_metadata(cluster: ClusterId, instance: str, token: str) -> dict[str, str]:
    """The metadata of a new disk."""
    group, _, index = instance.partition("/")
    return {
        "director": cluster.director,
        "deployment": cluster.name,
        "instance_id": instance,
        "instance_index": index,
        "instance_group": group,
        "kubo_token": token,
    }
