"""Surge: workers to spare while others are replaced, so that pods always find as much room as before.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup
from kubo_sdk.planning.plan import Replacement


def surged_spec(spec: ClusterSpec, replaced: Iterable[Replacement]) -> ClusterSpec | None:
    """The spec with ``update.surge`` more workers in each group of which some are *replaced*; None where none are."""
    groups = {each.instance.rpartition("/")[0] for each in replaced}
    wider = tuple(_wider(group, spec.update.surge) if group.name in groups else group for group in spec.instance_groups)
    return attrs.evolve(spec, instance_groups=wider) if wider != spec.instance_groups else None


def _wider(group: InstanceGroup, more: int) -> InstanceGroup:
    return attrs.evolve(group, instances=group.instances + more) if group.role is Role.WORKER else group
