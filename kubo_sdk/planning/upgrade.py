"""What runs and what is to run: the releases of the machines, held against the one the spec wants.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.errors import UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.model.release import CarriedRelease
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.skew import why_no_etcd, why_no_kubelet, why_no_step

UPGRADE = "upgrade"


def check_versions(situation: Situation) -> None:
    """Raise UnsafePlan with every rule of version skew that the plan would break."""
    reasons = tuple(dict.fromkeys(_broken(situation)))
    if reasons:
        raise UnsafePlan("; ".join(reasons))


def _broken(situation: Situation) -> Iterable[str]:
    observation, wish = situation.observation, situation.spec.kubernetes.version
    steps = [why_no_step(each.kubernetes, wish) for each in _releases(observation, Role.MASTER)]
    yield from filter(None, steps)
    if not any(steps):
        kubelets = (each.kubernetes for each in _releases(observation, Role.WORKER))
        yield from filter(None, (_why_no_worker(kubelet, wish) for kubelet in kubelets))
    if observation.release is not None:
        members = (each.etcd for each in _releases(observation, Role.ETCD))
        yield from filter(None, (why_no_etcd(etcd, observation.release.etcd) for etcd in members))


def _why_no_worker(have: KubernetesVersion, wish: KubernetesVersion) -> str:
    """A worker goes where the masters go, before it has to serve under them."""
    return why_no_step(have, wish) if wish.minor < have.minor else why_no_kubelet(have, wish)


def _releases(observation: Observation, role: Role) -> tuple[CarriedRelease, ...]:
    views = (view for view in observation.instances if view.instance.role is role and view.exists)
    return tuple(release for view in views for release in view.releases)


def running_versions(observation: Observation) -> tuple[KubernetesVersion, ...]:
    """The versions that masters and workers run, oldest first."""
    found = {each.kubernetes for role in (Role.MASTER, Role.WORKER) for each in _releases(observation, role)}
    return tuple(sorted(found))


def running_version(observation: Observation) -> KubernetesVersion | None:
    """What the cluster runs: the oldest version of its masters, or of its workers where no master tells.  None: nothing
    that tells.
    """
    for role in (Role.MASTER, Role.WORKER):
        found = [each.kubernetes for each in _releases(observation, role)]
        if found:
            return min(found)
    return None


def is_upgrade(observation: Observation, wish: KubernetesVersion) -> bool:
    """Whether any master or worker runs another version than *wish*."""
    return any(version != wish for version in running_versions(observation))


def masters_lag(situation: Situation) -> bool:
    """Whether a master runs an older minor version: then no kubelet may be of the new one yet."""
    wish = situation.spec.kubernetes.version
    return any(each.kubernetes.minor < wish.minor for each in _releases(situation.observation, Role.MASTER))


def gets_release(situation: Situation, view: InstanceView) -> bool:
    """Whether a running machine is to work with a release that it was not given yet."""
    wished = situation.observation.release
    if view.instance.role is Role.PROXY or not view.releases:
        return False
    return wished is None or any(each.tree != wished.tree for each in view.releases) or view.on_trial


def is_drained(situation: Situation, view: InstanceView) -> bool:
    """Whether its pods move away before it changes: a kubelet may not become another minor version under them.

    Where no other worker could take them they stay.
    """
    wish = situation.spec.kubernetes.version
    others = [each for each in situation.of(Role.WORKER) if each is not view and each.ready and each.is_serving]
    changes = any(each.kubernetes.minor != wish.minor for each in view.releases)
    return changes and bool(others) and view.is_serving and situation.observation.api_ready


def version_change(situation: Situation, view: InstanceView) -> str:
    """What a step says about it: ``Kubernetes 1.20.2 becomes 1.21.3``.  Empty where no version changes."""
    release, role = situation.observation.release, view.instance.role
    wish = situation.spec.kubernetes.version
    have = next((each for each in view.releases if each != release), None)
    if have is None or role is Role.PROXY:
        return ""
    if role is Role.ETCD:
        changes = release is not None and release.etcd != have.etcd
        return f"etcd {have.etcd} becomes {release.etcd}" if changes and release is not None else ""
    if have.kubernetes != wish:
        return f"Kubernetes {have.kubernetes} becomes {wish}"
    return f"another build of Kubernetes {wish}" if release is not None and have.tree else ""
