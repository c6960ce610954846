"""Upgrading: from the Kubernetes that runs to another, one minor version after the other, each as a deploy of its own.

Everything that can be known before is asked before the first change: the way there, the releases, the cluster itself.
Nothing remembers how far it came but the machines: cut off, the same call goes on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from attrs import frozen

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.errors import ConfigError, NotFound, UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.model.release import Release
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.skew import minors_between, why_no_etcd, why_no_step
from kubo_sdk.planning.upgrade import running_version, running_versions
from kubo_sdk.releases.protocol import Say
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.steps.context import RunState
from kubo_sdk.upkeep import Upkeep


@frozen(kw_only=True)
class UpgradeCheck:
    """What an upgrade would do.

    ``running`` is what the cluster runs, ``links`` the versions it would run after it, one after the other.
    ``problems`` holds a sentence for each thing in the way, ``plan`` what the first link would do; None where something
    is in the way.
    """

    running: KubernetesVersion
    links: tuple[KubernetesVersion, ...]
    problems: tuple[str, ...] = ()
    plan: Plan | None = None


@frozen(kw_only=True)
class Upgrading:
    """``link`` is the upkeep of the same cluster with that version in its spec; ``say`` is told what is fetched.

    ``stop`` ends waiting.
    """

    spec: ClusterSpec
    releases: ReleaseSource
    upkeep: Upkeep
    link: Callable[[KubernetesVersion], Upkeep]
    say: Say
    stop: CancelToken

    def check(self, wish: KubernetesVersion, through: Iterable[KubernetesVersion] = ()) -> UpgradeCheck:
        """What `upgrade` would do now, and what is in its way.  Fetches releases, and changes nothing else."""
        running, links, problems = self._prepared(self.upkeep.look(), wish, tuple(through), force=False)
        plan = None if problems else self.link(links[0]).plan_upgrade()
        return UpgradeCheck(running=running, links=links, problems=problems, plan=plan)

    def upgrade(
        self, wish: KubernetesVersion, through: Iterable[KubernetesVersion] = (), *, force: bool = False
    ) -> tuple[KubernetesVersion, ...]:
        """Go to *wish* and return the versions on the way.

        *through* names the versions between, where the source cannot tell which there are.  *force*: also where APIs
        are in use that will be no more.  UnsafePlan with everything that is in the way.
        """
        look = self.upkeep.when_healthy(self.upkeep.look(), wish, self.stop)
        _, links, problems = self._prepared(look, wish, tuple(through), force=force)
        if problems:
            raise UnsafePlan("; ".join(problems))
        for version in links:
            self.link(version).upgrade(force=force)
        return links

    def _prepared(
        self,
        look: tuple[Observation, RunState],
        wish: KubernetesVersion,
        through: tuple[KubernetesVersion, ...],
        *,
        force: bool,
    ) -> tuple[KubernetesVersion, tuple[KubernetesVersion, ...], tuple[str, ...]]:
        observation = look[0]
        running = self._running(observation, wish)
        links = self._links(running, wish, through)
        releases = [self.releases.fetch(version, self.say) for version in links]
        problems = list(_etcd_problems(observation, releases))
        if any(version != wish for version in running_versions(observation)):
            problems += self.upkeep.readiness(look, wish, force=force).problems()
        return running, links, tuple(problems)

    def _running(self, observation: Observation, wish: KubernetesVersion) -> KubernetesVersion:
        """What the cluster runs.  UnsafePlan where *wish* is older."""
        running, newest = running_version(observation), max(running_versions(observation), default=None)
        if running is None or newest is None:
            raise NotFound(f"cluster {self.spec.id} has no machine that runs Kubernetes; make it first: kubo up")
        if wish.minor < newest.minor:
            raise UnsafePlan(why_no_step(newest, wish))
        return running

    def _links(
        self, running: KubernetesVersion, wish: KubernetesVersion, through: tuple[KubernetesVersion, ...]
    ) -> tuple[KubernetesVersion, ...]:
        named = {version.minor: version for version in through}
        between = minors_between(running, wish)
        strange = [str(version) for version in through if version.minor not in between]
        if strange:
            raise ConfigError([f"{', '.join(strange)} is not between Kubernetes {running} and {wish}; leave it out"])
        return (*(named.get(minor) or self.releases.newest(minor) for minor in between), wish)


def _etcd_problems(observation: Observation, releases: list[Release]) -> Iterable[str]:
    """Whether etcd, too, goes up one step at a time, from what runs through every release."""
    views = (view for view in observation.instances if view.instance.role is Role.ETCD)
    for have in sorted({each.etcd for view in views for each in view.releases}):
        yield from filter(None, [why_no_etcd(have, releases[0].etcd_version)])
    for one, next_one in itertools.pairwise(releases):
        if why := why_no_etcd(one.etcd_version, next_one.etcd_version):
            yield f"from Kubernetes {one.version} to {next_one.version}: {why}"
