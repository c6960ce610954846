"""The tags by which everything of a cluster is found again; nothing is written down anywhere else."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.model.instance import ClusterId

DIRECTOR = "kubo-director"
CLUSTER = "kubo-cluster"
INSTANCE = "kubo-instance"
TOKEN = "kubo-token"
ZONE = "kubo-zone"
# The public half of the key by which a machine proves that it is the one we made.
HOST_KEY = "kubo-host-key"
# What the core wishes is kept below this prefix, apart from ours and from those that people add.
WISHED = "kubo-tag-"

CLUSTER_TAGS = (DIRECTOR, CLUSTER)


def of_cluster(cluster: ClusterId) -> dict[str, str]:
    """Whose a thing is.  The director belongs to it: two directors may each have a cluster of that name."""
    return {DIRECTOR: cluster.director, CLUSTER: cluster.name}


def owner(tags: Mapping[str, str]) -> ClusterId | None:
    """The cluster that a thing with those tags belongs to; None for a stranger's."""
    if any(not tags.get(name) for name in CLUSTER_TAGS):
        return None
    return ClusterId(director=tags[DIRECTOR], name=tags[CLUSTER])


def of_instance(cluster: ClusterId, instance: str, token: str, zone: str) -> dict[str, str]:
    """The tags of a machine or volume: ``instance`` like ``worker/0``."""
    return {**of_cluster(cluster), INSTANCE: instance, TOKEN: token, ZONE: zone}


def wished(tags: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The core's own tags, as they are kept."""
    return {f"{WISHED}{name}": value for name, value in tags}


def told(tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The core's own tags, as they were given, in the order of their names."""
    kept = {name.removeprefix(WISHED): value for name, value in tags.items() if name.startswith(WISHED)}
    return tuple(sorted(kept.items()))
