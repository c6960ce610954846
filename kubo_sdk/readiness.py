"""Readiness: what stands in the way of an upgrade, all of it at once.  Asks the API servers; changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from kubo_sdk.answers import in_parallel
from kubo_sdk.clients.kubernetes import KubernetesClient, Object
from kubo_sdk.errors import KuboError, NotFound
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.nodes.flags import refused_extra_args
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.removed_apis import RemovedApi, asked_for, removed_between, why_asked, why_stored
from kubo_sdk.planning.skew import why_no_containerd
from kubo_sdk.planning.upgrade import running_version
from kubo_sdk.steps.access import any_server_client, server_client
from kubo_sdk.steps.context import RunState

PATIENCE = 5.0

_CONTAINERD = re.compile(r"containerd://(\S+)")


@frozen(kw_only=True)
class Readiness:
    """Whether the cluster that *observation* and *state* tell of can become *wish*.

    *left*: instances that are stopped on purpose.  *force*: never mind who uses APIs that will be no more.
    """

    spec: ClusterSpec
    observation: Observation
    state: RunState
    now: datetime
    wish: KubernetesVersion
    left: tuple[str, ...] = ()
    force: bool = False

    def problems(self) -> tuple[str, ...]:
        """One sentence for each thing in the way; none: go ahead."""
        found = [*self._flags(), *self._expired(), *self.unhealthy()]
        try:
            client = any_server_client(self.spec, self.state, timeout=PATIENCE)
            found += self._runtimes(client)
            if not self.force:
                found += [*self._stored(client), *self._asked()]
        except KuboError as error:
            found.append(f"the API cannot be asked who uses what Kubernetes {self.wish} has no more: {error}")
        return tuple(dict.fromkeys(found))

    def unhealthy(self) -> tuple[str, ...]:
        """Of the problems those that may pass: what was just started takes a while to serve."""
        return (*self._members(), *self._masters(), *self._nodes())

    @property
    def _have(self) -> int:
        """The minor version that runs."""
        return (running_version(self.observation) or self.wish).minor

    def _flags(self) -> Iterator[str]:
        for minor in range(self._have, self.wish.minor + 1):
            yield from refused_extra_args(self.spec.kubernetes.extra_args, minor)

    def _expired(self) -> Iterator[str]:
        for leaf, credential in sorted(self.state.credentials.items()):
            end = credential.expires_at
            if end is not None and end <= self.now:
                remedy = "kubo up with the version that runs renews it"
                yield f"the certificate {leaf!r} expired on {end:%Y-%m-%d}; {remedy}"

    def _members(self) -> Iterator[str]:
        members = self.observation.members
        if members is None:
            yield "no etcd member answers; kubo heal brings etcd back"
            return
        halfway = {view.instance.slug for view in self._views(Role.ETCD) if view.on_trial}
        for member in members:
            if not member.healthy and member.name not in halfway:
                yield f"the etcd member {member.name or member.id} is not healthy; kubo heal repairs it"

    def _masters(self) -> Iterator[str]:
        names = [view.instance.id for view in self._views(Role.MASTER) if not view.on_trial]
        for name, serves in zip(names, in_parallel(self._serves, names), strict=True):
            if not serves:
                yield f"the API server of {name} is not ready; kubo heal repairs it"

    def _serves(self, name: str) -> bool:
        return name in self.state.vms and self._server(name).ready()

    def _server(self, name: str) -> KubernetesClient:
        return server_client(self.spec, self.state, self.state.vms[name].address, timeout=PATIENCE)

    def _nodes(self) -> Iterator[str]:
        for view in self._views(Role.WORKER):
            if not view.ready and not view.on_trial:
                yield f"the Node of {view.instance.id} is not Ready; kubo heal repairs it"

    def _views(self, role: Role) -> Iterator[InstanceView]:
        """Those that were in service."""
        for view in self.observation.instances:
            if view.instance.role is role and view.configured and view.instance.id not in self.left:
                yield view

    def _runtimes(self, client: KubernetesClient) -> Iterator[str]:
        for node in client.list("/api/v1/nodes"):
            told = node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", "")
            found = _CONTAINERD.match(told)
            if found and (why := why_no_containerd(found[1], self.wish)):
                yield why

    def _stored(self, client: KubernetesClient) -> Iterator[str]:
        for api in removed_between(self._have, self.wish.minor):
            yield from filter(None, [why_stored(api, _objects(client, api))])

    def _asked(self) -> Iterator[str]:
        """What any API server was asked for.  Each counts for itself, since it started."""
        for view in self._views(Role.MASTER):
            if view.instance.id in self.state.vms and not view.on_trial:
                metrics = self._server(view.instance.id).metrics()
                yield from (why_asked(api) for api in asked_for(metrics, self.wish.minor))


def _objects(client: KubernetesClient, api: RemovedApi) -> tuple[Object, ...]:
    try:
        return client.list(api.path)
    except NotFound:
        return ()  # It has none of them any more, or never had.
