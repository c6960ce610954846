"""Bystanders: the pods of a worker whose units restart.  They run on, and must be called ready again afterwards.

A kubelet that starts anew may call its pods not ready until it has asked them once, and nobody is sent to those.
"""

from __future__ import annotations

import contextlib

from kubo_sdk.clients.kubernetes import KubernetesClient, Object
from kubo_sdk.errors import ProviderError, Unavailable
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.steps.access import any_server_client
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.credentials import node_name


def note_pods(context: StepContext, instance: Instance) -> None:
    """Remember which pods of the worker are ready now.  Without the API there is nothing to remember."""
    if instance.role is Role.WORKER:
        with contextlib.suppress(ProviderError):
            pods = _pods(context, instance)
            context.state.ready_pods[instance.id] = frozenset(_uid(pod) for pod in pods if _is_ready(pod))


def await_pods(context: StepContext, instance: Instance, bound: float) -> None:
    """Wait until those pods that are still on the worker are ready again.  Unavailable names one that is not."""
    noted = context.state.ready_pods.get(instance.id)
    if not noted:
        return

    def ready() -> bool:
        for pod in _pods(context, instance):
            metadata = pod["metadata"]
            if _uid(pod) in noted and "deletionTimestamp" not in metadata and not _is_ready(pod):
                raise Unavailable(f"pod {metadata['name']} in namespace {metadata['namespace']} is not")
        return True

    context.wait_until(ready, what=f"the pods of {instance.id} being ready again", timeout=bound)
    context.state.ready_pods.pop(instance.id, None)


def _pods(context: StepContext, instance: Instance) -> tuple[Object, ...]:
    client: KubernetesClient = any_server_client(context.spec, context.state, timeout=5.0)
    return client.pods_on(node_name(context.spec, instance, context.vm(instance.id).address))


def _uid(pod: Object) -> str:
    return str(pod["metadata"].get("uid", ""))


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
