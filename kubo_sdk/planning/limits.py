"""Limits: refuse the plans an operator would regret, before anything happens."""

from __future__ import annotations

from kubo_sdk.errors import ConfigError, UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.observation import Observation


def check_deploy(spec: ClusterSpec, observation: Observation, abilities: Abilities) -> None:
    """Raise ConfigError where the providers cannot carry the spec, UnsafePlan where the cluster would suffer."""
    _check_providers(spec, abilities)
    _check_strangers(spec, observation)
    _check_etcd(spec, observation)


def _check_providers(spec: ClusterSpec, abilities: Abilities) -> None:
    problems = []
    if abilities.runs_on_proxies and not spec.instances(Role.PROXY):
        problems.append(
            f"ingress {spec.ingress.provider!r} runs on machines of a proxy group and the spec has none; "
            "add an instance group with role proxy or choose another ingress"
        )
    wanting = [group.name for group in spec.instance_groups if group.persistent_disk_mb]
    if wanting and not abilities.disks:
        problems.append(
            f"cpi {spec.cpi.provider!r} has no persistent disks and {', '.join(wanting)} asks for one; "
            "set persistent_disk_mb to 0 or choose another cpi"
        )
    if problems:
        raise ConfigError(problems)


def _check_strangers(spec: ClusterSpec, observation: Observation) -> None:
    names = sorted(vm.instance for vm in observation.strangers)
    if names:
        raise UnsafePlan(
            f"cluster {spec.id} has {', '.join(names)}, which the spec does not list; "
            "put them back into the spec, or delete the cluster: scaling down is not possible yet"
        )


def _check_etcd(spec: ClusterSpec, observation: Observation) -> None:
    """Certificates of all members are made in one go before the first member starts, so they tell who is a member."""
    views = [view for view in observation.instances if view.instance.role is Role.ETCD]
    if not any(view.configured for view in views):
        return
    members = [view for view in views if f"etcd-server-{view.instance.slug}" in observation.credentials]
    if len(members) != len(views):
        raise UnsafePlan(
            f"cluster {spec.id} runs with {len(members)} etcd members and the spec wants {len(views)}; "
            "put the old number back: growing etcd is not possible yet"
        )
    lost = [view.instance.id for view in members if not view.exists and view.disk is None]
    if lost:
        raise UnsafePlan(
            f"cluster {spec.id} lost the machine and the data of {', '.join(lost)}; a member that comes back empty "
            "can undo writes, so it must be replaced, which is not possible yet"
        )
