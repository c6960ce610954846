"""Moves the pods of a worker away, as far as their budgets allow, and lets them come again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial

from kubo_sdk.clients.kubernetes import KubernetesClient, NodeStatus, Object
from kubo_sdk.clients.response import Response
from kubo_sdk.errors import Unavailable
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.membership import slug_of_instance
from kubo_sdk.planning.plan import Step
from kubo_sdk.steps.access import any_server_client
from kubo_sdk.steps.context import StepContext

# On a Node that the director took out of service; one that somebody else cordoned stays as it is.
CORDONED = "kubo/cordoned"

POLICY_V1_SINCE = 22
# A scheduler may bind a pod to a Node that it has not heard of being out of service.  So nobody is done before it has
# looked at every pod there is, unless that takes longer than this: some are for another scheduler, which may be away.
PLACING_SECONDS = 10.0
MIRROR = "kubernetes.io/config.mirror"
ENDED = ("Succeeded", "Failed")

_BUDGET = re.compile(r"disruption budget (\S+) needs")


def drain(context: StepContext, step: Step) -> None:
    """Cordon the worker and evict its pods, until none is left that another worker could run.

    Raises Unavailable after the spec's bound, naming the budget or the pod that is in the way.
    """
    client = any_server_client(context.spec, context.state, timeout=5.0)
    bound = context.spec.update.drain_timeout_seconds
    for node in _nodes(client, step):
        if not node.unschedulable:
            client.annotate_node(node.name, {CORDONED: "true"}, unschedulable=True)
        hurry_at = context.clock.monotonic() + min(PLACING_SECONDS, bound / 2)
        drained = partial(_is_drained, context, client, node.name, hurry_at)
        context.wait_until(drained, what=f"the draining of {step.instance}", timeout=bound)


def uncordon(context: StepContext, step: Step) -> None:
    """Let pods come to the worker again, if the director was who sent them away."""
    client = any_server_client(context.spec, context.state, timeout=5.0)
    for node in _nodes(client, step):
        if CORDONED in node.annotations:
            client.annotate_node(node.name, {CORDONED: None}, unschedulable=False)


def delete_node(context: StepContext, step: Step) -> None:
    """Delete the Nodes that stand for the instance, whose machine is gone, and the pods that were on them.

    Kubernetes itself would leave the pods of a Node that is gone for some 40 s, also those that a scheduler which has
    not heard of it yet binds to it still.
    """
    client = any_server_client(context.spec, context.state, timeout=5.0)
    for node in _nodes(client, step):
        client.delete(node_object(node.name))
        left = partial(_is_left, context, client, node.name, context.clock.monotonic() + PLACING_SECONDS)
        context.wait_until(left, what=f"the leaving of the pods of {step.instance}", timeout=2 * PLACING_SECONDS)


def node_object(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


def _nodes(client: KubernetesClient, step: Step) -> tuple[NodeStatus, ...]:
    return client.nodes_of(slug_of_instance(str(step.instance)))


def _is_drained(context: StepContext, client: KubernetesClient, node: str, hurry_at: float) -> bool:
    """True when no pod is left, and until *hurry_at* only when none may still be on its way here."""
    coming = client.pods_to_place()
    _evict(context, client, node)
    return _has_settled(context, coming, hurry_at)


def _is_left(context: StepContext, client: KubernetesClient, node: str, hurry_at: float) -> bool:
    """Delete the pods of a Node that is gone.  True when no more may come."""
    coming = client.pods_to_place()
    for pod in client.pods_on(node):
        metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
        client.delete({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}, grace_seconds=0)
    return _has_settled(context, coming, hurry_at)


def _has_settled(context: StepContext, coming: Sequence[Object], hurry_at: float) -> bool:
    if coming and context.clock.monotonic() < hurry_at:
        raise Unavailable(f"the scheduler has not placed pod {coming[0]['metadata']['name']} yet")
    return True


def _evict(context: StepContext, client: KubernetesClient, node: str) -> None:
    """Ask every pod to go.  Raises Unavailable with what is in the way while any is left."""
    reason = ""
    left = [pod for pod in client.pods_on(node) if _must_go(pod)]
    for pod in left:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        if pod["metadata"].get("deletionTimestamp"):
            reason = reason or f"pod {name} in namespace {namespace} has not ended yet"
            continue
        answer = client.evict(namespace, name, api_version=eviction_version(context.spec.kubernetes.version))
        if answer.status == 429:
            reason = _blocked(answer, namespace, name)
        elif answer.status not in (200, 201, 404):
            answer.check(f"eviction of pod {name} in namespace {namespace}")
    if left:
        raise Unavailable(reason or "its pods have not ended yet")


def eviction_version(version: KubernetesVersion) -> str:
    """What the version calls an Eviction."""
    return "policy/v1" if version.minor >= POLICY_V1_SINCE else "policy/v1beta1"


def _must_go(pod: Object) -> bool:
    """A pod that ended holds nobody up, one of a DaemonSet belongs to the Node, and a mirror is only an image."""
    metadata = pod["metadata"]
    owners = [owner["kind"] for owner in metadata.get("ownerReferences") or () if owner.get("controller")]
    mirrored = MIRROR in (metadata.get("annotations") or {})
    return pod.get("status", {}).get("phase") not in ENDED and "DaemonSet" not in owners and not mirrored


def _blocked(answer: Response, namespace: str, pod: str) -> str:
    """Which budget keeps the pod.  Only the details of the answer name it."""
    try:
        causes = json.loads(answer.body).get("details", {}).get("causes") or ()
    except (ValueError, AttributeError):
        causes = ()
    told = " ".join(str(cause.get("message", "")) for cause in causes) or answer.explanation()
    found = _BUDGET.search(told)
    budget = f"the PodDisruptionBudget {found.group(1)}" if found else "a PodDisruptionBudget"
    return (
        f"{budget} in namespace {namespace} keeps pod {pod} ({told.strip()}); give it more pods, or change the budget"
    )
