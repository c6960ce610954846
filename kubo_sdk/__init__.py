"""kubo_sdk provisions a highly available Kubernetes cluster on any infrastructure, keeps it alive and takes it away.

::

    from kubo_sdk import Cluster

    cluster = Cluster.load("cluster.yml")
    print(cluster.plan())  # the dry run
    cluster.deploy()

Everything public is named here and imported on first use: ``import kubo_sdk`` itself costs and does nothing.
Errors are in `kubo_sdk.errors`, events in `kubo_sdk.events`, the contracts of providers in `kubo_sdk.ports`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubo_sdk.cluster import Cluster
    from kubo_sdk.engine.cancel import CancelToken
    from kubo_sdk.errors import ConfigError, KuboError
    from kubo_sdk.event_stream import EventStream
    from kubo_sdk.events import Event
    from kubo_sdk.hookspecs import Objection, hookimpl
    from kubo_sdk.model.instance import ClusterId, Instance, Role
    from kubo_sdk.model.secret import Secret
    from kubo_sdk.model.spec import (
        ClusterSpec,
        HealthSpec,
        InstanceGroup,
        KubernetesSpec,
        MeltdownSpec,
        NetworkSpec,
        NodeNames,
        ProviderChoice,
        UpdateSpec,
        VmSize,
    )
    from kubo_sdk.model.status import ClusterStatus
    from kubo_sdk.model.task import Task, TaskSummary
    from kubo_sdk.model.version import KubernetesVersion
    from kubo_sdk.planning.plan import Plan
    from kubo_sdk.planning.problems import Problem
    from kubo_sdk.plugins import Plugins

    __version__: str

__all__ = [
    "CancelToken",
    "Cluster",
    "ClusterId",
    "ClusterSpec",
    "ClusterStatus",
    "ConfigError",
    "Event",
    "EventStream",
    "HealthSpec",
    "Instance",
    "InstanceGroup",
    "KubernetesSpec",
    "KubernetesVersion",
    "KuboError",
    "MeltdownSpec",
    "NetworkSpec",
    "NodeNames",
    "Objection",
    "Plan",
    "Plugins",
    "Problem",
    "ProviderChoice",
    "Role",
    "Secret",
    "Task",
    "TaskSummary",
    "UpdateSpec",
    "VmSize",
    "hookimpl",
]

_HOMES = {
    "CancelToken": "engine.cancel",
    "Cluster": "cluster",
    "ClusterId": "model.instance",
    "ClusterSpec": "model.spec",
    "ClusterStatus": "model.status",
    "ConfigError": "errors",
    "Event": "events",
    "EventStream": "event_stream",
    "HealthSpec": "model.spec",
    "Instance": "model.instance",
    "InstanceGroup": "model.spec",
    "KuboError": "errors",
    "KubernetesSpec": "model.spec",
    "KubernetesVersion": "model.version",
    "MeltdownSpec": "model.spec",
    "NetworkSpec": "model.spec",
    "UpdateSpec": "model.spec",
    "NodeNames": "model.spec",
    "Objection": "hookspecs",
    "Plan": "planning.plan",
    "Plugins": "plugins",
    "Problem": "planning.problems",
    "ProviderChoice": "model.spec",
    "Role": "model.instance",
    "Secret": "model.secret",
    "Task": "model.task",
    "TaskSummary": "model.task",
    "VmSize": "model.spec",
    "hookimpl": "hookspecs",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("kubo-sdk")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
