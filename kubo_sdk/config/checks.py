"""What makes a spec with all the right types wrong nevertheless.  Pure: asks nobody, reads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from kubo_sdk.config.backup import check_backup
from kubo_sdk.config.health import check_health
from kubo_sdk.config.kinds import choices
from kubo_sdk.config.names import check_names
from kubo_sdk.config.networks import check_networks, check_ports, check_room
from kubo_sdk.config.place import Path
from kubo_sdk.config.preparation import check_preparation
from kubo_sdk.config.problem import Problem
from kubo_sdk.config.update import check_update
from kubo_sdk.model.instance import Role
from kubo_sdk.model.release import KUBERNETES_BINARIES
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup

NEEDED_ROLES = (Role.ETCD, Role.MASTER, Role.WORKER)
COMPONENTS = tuple(sorted({*KUBERNETES_BINARIES, "etcd"} - {"kubectl"}))

_GROUPS: Path = ("instance_groups",)


def check(spec: ClusterSpec) -> tuple[Problem, ...]:
    """Every problem the spec has by itself; providers and the host are not asked."""
    return (
        *check_names(spec),
        *_check_components(spec),
        *_check_group_names(spec),
        *_check_sizes(spec),
        *_check_roles(spec),
        *_check_etcd(spec),
        *check_networks(spec),
        *check_room(spec),
        *check_ports(spec),
        *check_health(spec),
        *check_backup(spec),
        *check_update(spec),
        *check_preparation(spec),
    )


def check_other_networks(spec: ClusterSpec, others: Mapping[Path, IPv4Network]) -> tuple[Problem, ...]:
    """Overlaps of networks that are no part of the spec's own, such as the CPI's subnet, with it and each other."""
    return tuple(problem for problem in check_networks(spec, others) if problem.path in others)


def check_ingress(spec: ClusterSpec, *, runs_on_proxies: bool) -> tuple[Problem, ...]:
    """Whether the group the ingress provider runs on is there."""
    if runs_on_proxies and not spec.instances(Role.PROXY):
        name = spec.ingress.provider
        message = f"is {name!r}, which runs on proxy machines, and no instance group has role: proxy; add one"
        return (Problem(("ingress",), f"{message}, or choose another ingress"),)
    return ()


def _check_components(spec: ClusterSpec) -> Iterator[Problem]:
    for component in spec.kubernetes.extra_args:
        if component not in COMPONENTS:
            path = ("kubernetes", "extra_args", component)
            yield Problem(path, f"is no component{choices(component, COMPONENTS)}")


def _check_group_names(spec: ClusterSpec) -> Iterator[Problem]:
    for index, group in enumerate(spec.instance_groups):
        earlier = [other.name for other in spec.instance_groups[:index]]
        if group.name in earlier:
            path = (*_GROUPS, index, "name")
            first = (*_GROUPS, earlier.index(group.name), "name")
            taken = f"is {group.name!r}, the name of instance_groups[{first[1]}]; give each group its own"
            yield Problem(path, taken, derived_from=(first,))


def _check_sizes(spec: ClusterSpec) -> Iterator[Problem]:
    for index, group in enumerate(spec.instance_groups):
        path = (*_GROUPS, index)
        if group.instances < 1:
            yield Problem((*path, "instances"), f"must be at least 1, not {group.instances}; or leave the group out")
        for key, value in _sizes(group):
            if value < 0:
                yield Problem((*path, *key), f"must not be negative, and is {value}; 0 sets none")


def _sizes(group: InstanceGroup) -> tuple[tuple[Path, int], ...]:
    return (
        (("vm", "cpus"), group.vm.cpus),
        (("vm", "memory_mb"), group.vm.memory_mb),
        (("persistent_disk_mb",), group.persistent_disk_mb),
    )


def _check_roles(spec: ClusterSpec) -> Iterator[Problem]:
    count = Counter(group.role for group in spec.instance_groups)
    roles = tuple((*_GROUPS, index, "role") for index in range(len(spec.instance_groups)))
    for role in NEEDED_ROLES:
        if not count[role]:
            message = f"has no group with role: {role}; add one, or leave instance_groups out for the default shape"
            yield Problem(_GROUPS, message, derived_from=roles)


def _check_etcd(spec: ClusterSpec) -> Iterator[Problem]:
    groups = [(index, group) for index, group in enumerate(spec.instance_groups) if group.role is Role.ETCD]
    for index, group in groups[1:]:
        path, first = (*_GROUPS, index, "role"), groups[0][1].name
        message = f"makes {group.name!r} a second etcd group after {first!r}; a cluster has one, put all members there"
        yield Problem(path, message, derived_from=((*_GROUPS, groups[0][0], "role"),))
    for index, group in groups:
        if group.instances > 0 and group.instances % 2 == 0:
            path, role = (*_GROUPS, index, "instances"), (*_GROUPS, index, "role")
            fewer, more = group.instances - 1, group.instances + 1
            message = f"is {group.instances}, and {group.instances} etcd members survive no more failures than {fewer}"
            yield Problem(path, f"{message}; choose {fewer} or {more}", derived_from=(role,))
