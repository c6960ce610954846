"""The APIs that a version of Kubernetes has no more, and whether somebody still uses them.  Pure.

An API server counts who asked for a deprecated API since it started; an object remembers with which version of the API
each of its managers last wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen


@frozen
class RemovedApi:
    """*resource* of *group* in *version* is no more from minor version *removed* on.

    *successor*: another version of the group has it.
    """

    group: str
    version: str
    resource: str
    removed: int
    successor: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"

    @property
    def path(self) -> str:
        """Where the API server lists them, as long as it has them."""
        return f"/apis/{self.api_version}/{self.resource}"


def _removed(minor: int, api_version: str, *resources: str) -> tuple[RemovedApi, ...]:
    group, _, version = api_version.partition("/")
    return tuple(RemovedApi(group, version, resource, minor) for resource in resources)


_WEBHOOKS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
_ROLES = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
_FLOWS = ("flowschemas", "prioritylevelconfigurations")

# Those whose objects people write.
WRITTEN: tuple[RemovedApi, ...] = (
    *_removed(22, "admissionregistration.k8s.io/v1beta1", *_WEBHOOKS),
    *_removed(22, "apiextensions.k8s.io/v1beta1", "customresourcedefinitions"),
    *_removed(22, "apiregistration.k8s.io/v1beta1", "apiservices"),
    *_removed(22, "extensions/v1beta1", "ingresses"),
    *_removed(22, "networking.k8s.io/v1beta1", "ingresses", "ingressclasses"),
    *_removed(22, "rbac.authorization.k8s.io/v1beta1", *_ROLES),
    *_removed(22, "scheduling.k8s.io/v1beta1", "priorityclasses"),
    *_removed(22, "storage.k8s.io/v1beta1", "csidrivers", "storageclasses"),
    *_removed(25, "autoscaling/v2beta1", "horizontalpodautoscalers"),
    *_removed(25, "batch/v1beta1", "cronjobs"),
    *_removed(25, "node.k8s.io/v1beta1", "runtimeclasses"),
    *_removed(25, "policy/v1beta1", "poddisruptionbudgets"),
    RemovedApi("policy", "v1beta1", "podsecuritypolicies", 25, successor=False),
    *_removed(26, "autoscaling/v2beta2", "horizontalpodautoscalers"),
    *_removed(26, "flowcontrol.apiserver.k8s.io/v1beta1", *_FLOWS),
    *_removed(29, "flowcontrol.apiserver.k8s.io/v1beta2", *_FLOWS),
    *_removed(32, "flowcontrol.apiserver.k8s.io/v1beta3", *_FLOWS),
)

# What Kubernetes' own daemons ask for in the versions that still have it: their asking says nothing about anybody.
ASKED_BY_KUBERNETES = frozenset(
    {
        ("batch", "cronjobs"),
        ("discovery.k8s.io", "endpointslices"),
        ("extensions", "ingresses"),
        *(("flowcontrol.apiserver.k8s.io", flow) for flow in _FLOWS),
        ("policy", "poddisruptionbudgets"),
        ("policy", "podsecuritypolicies"),
        ("storage.k8s.io", "csistoragecapacities"),
    }
)
OWN_MANAGERS = ("kube-", "kubelet", "api-priority-and-fairness", "kubo")

_METRIC = re.compile(r"^apiserver_requested_deprecated_apis\{([^}]*)\} (\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def removed_between(have: int, wish: int) -> tuple[RemovedApi, ...]:
    """What people may have written that goes between those two minor versions."""
    return tuple(api for api in WRITTEN if have < api.removed <= wish)


def asked_for(metrics: str, wish: int) -> tuple[RemovedApi, ...]:
    """What the metrics of an API server count as asked for by others than Kubernetes itself, and *wish* has no more."""
    found = []
    for labels, value in _METRIC.findall(metrics):
        told = dict(_LABEL.findall(labels))
        removed = told.get("removed_release", "").removeprefix("1.")
        group, resource = told.get("group", ""), told.get("resource", "")
        counts = value not in ("0", "0.0") and (group, resource) not in ASKED_BY_KUBERNETES
        if counts and removed.isdecimal() and int(removed) <= wish:
            found.append(RemovedApi(group, told.get("version", ""), resource, int(removed)))
    return tuple(found)


def why_asked(api: RemovedApi) -> str:
    """The sentence about an API that was asked for."""
    return (
        f"{api.api_version} {api.resource} was asked for since an API server started, and Kubernetes 1.{api.removed} "
        "has it no more; find who asks in the audit log and move it to a newer version, or go on all the same: "
        "kubo upgrade --force"
    )


def why_stored(api: RemovedApi, objects: Iterable[Mapping[str, Any]]) -> str:
    """The sentence about *objects* of that API that would be missed.  Empty: none would."""
    names = [_name(each) for each in objects if not api.successor or _is_written_with(each, api.api_version)]
    if not names:
        return ""
    shown = f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
    if not api.successor:
        return f"{api.resource} {shown} would be no more with Kubernetes 1.{api.removed}; do without, then delete it"
    return (
        f"{api.resource} {shown} was written with {api.api_version}, which Kubernetes 1.{api.removed} has no more; "
        "move what writes it to a newer version, or go on all the same: kubo upgrade --force"
    )


def _is_written_with(item: Mapping[str, Any], api_version: str) -> bool:
    managers = item.get("metadata", {}).get("managedFields") or ()
    return any(
        each.get("apiVersion") == api_version and not str(each.get("manager", "")).startswith(OWN_MANAGERS)
        for each in managers
    )


def _name(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata", {})
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata.get('name')}" if namespace else str(metadata.get("name"))
