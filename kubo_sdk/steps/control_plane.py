"""Brings up the control plane: etcd's users, the overlay's network, the API, the cluster's own objects.

What was applied is recorded in the cluster itself, as digests in one ConfigMap, so that a later plan can tell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from kubo_sdk.clients.etcd_auth import EtcdAccess, ensure_access
from kubo_sdk.clients.kubernetes import KubernetesClient, NodeStatus
from kubo_sdk.errors import AuthError, NotFound, Unavailable
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.bootstrap import bootstrap_objects, role_labels
from kubo_sdk.nodes.kubelet import instance_labels
from kubo_sdk.pki.identities import ETCD_CLIENT_USER
from kubo_sdk.planning.plan import Step
from kubo_sdk.planning.settings import SETTINGS, recorded_settings
from kubo_sdk.ports.credentials import User, value_of
from kubo_sdk.ports.ingress import IngressManifests
from kubo_sdk.providers import Providers
from kubo_sdk.steps.access import SUPER_ADMIN, etcd_client, kubernetes_client, server_client
from kubo_sdk.steps.bystanders import await_pods
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.credentials import node_name
from kubo_sdk.steps.drain import node_object

ETCD_SECONDS = 120
API_SECONDS = 180
NODE_SECONDS = 180
# What can be done about a machine that does not come back after a change.
GO_ON = "nothing was changed after it; kubo up goes on once it is put right, and with the former spec it goes back"
RIGHTS_SECONDS = 30

# Of several units systemctl asks whether any is active.  One that was taken away is settled, and so
# is one that did its work and ended.  A program that never says whether it is ready has proved itself after a while:
# one that is no good ends before that, and systemd starts it again.
STEADY_SECONDS = 3
SETTLED = f"""
test -z "$(systemctl list-jobs --no-legend)" || exit 1
read -r now _ </proc/uptime
for unit; do
  if [ ! -e "/etc/systemd/system/$unit" ]; then continue; fi
  kind=$(systemctl show --property=Type --value "$unit")
  if ! systemctl is-active --quiet "$unit"; then
    if systemctl is-failed --quiet "$unit"; then exit 1; fi
    if [ "$kind" != oneshot ]; then exit 1; fi
  elif [ "$kind" = simple ]; then
    since=$(systemctl show --property=ActiveEnterTimestampMonotonic --value "$unit")
    if [ $(( ${{now%.*}} - since / 1000000 )) -lt {STEADY_SECONDS} ]; then exit 1; fi
  fi
done
"""

# When the kubelet was started, in seconds since the epoch.
STARTED_AT = "systemctl show --property=ActiveEnterTimestamp --timestamp=unix --value kubelet"

RECORD_NAMESPACE = "kube-system"
RECORD_NAME = "kubo-cluster"


def wished_record(spec: ClusterSpec, providers: Providers) -> dict[str, str]:
    """What the cluster keeps once everything is applied: digests, and the settings it has for good.  Pure."""
    return {
        SETTINGS: recorded_settings(spec),
        "bootstrap": _digest(_objects(spec, providers)),
        "etcd-access": _digest([providers.overlay.info().etcd_prefixes, repr(spec.network), repr(spec.overlay)]),
    }


def secure_etcd(context: StepContext, _step: Step) -> None:
    """Give etcd its users and rights, then write the overlay's network there."""
    overlay = context.providers.overlay
    client = etcd_client(context.spec, context.state)
    prefixes = overlay.info().etcd_prefixes
    access = EtcdAccess(
        root=value_of(context.state.credentials, "etcd-root", User),
        apiserver=ETCD_CLIENT_USER,
        overlay=value_of(context.state.credentials, "etcd-overlay", User) if prefixes else None,
        overlay_prefixes=prefixes,
    )

    def secured() -> bool:
        ensure_access(client, access)
        return True

    context.wait_until(secured, what=f"etcd of cluster {context.spec.id} having a leader", timeout=ETCD_SECONDS)
    if prefixes:
        overlay.ensure_network(client)


def await_api(context: StepContext, _step: Step) -> None:
    client = kubernetes_client(context.state)
    context.wait_until(
        lambda: client.ready() or None,
        what=f"the API of cluster {context.spec.id} answering through its endpoint",
        timeout=API_SECONDS,
    )


def bootstrap_cluster(context: StepContext, _step: Step) -> None:
    """Apply the cluster's own objects, then record that they were applied."""
    client = kubernetes_client(context.state, SUPER_ADMIN)
    client.apply_all(_objects(context.spec, context.providers))
    client.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": RECORD_NAME, "namespace": RECORD_NAMESPACE},
            "data": wished_record(context.spec, context.providers),
        }
    )
    for master in context.spec.instances(Role.MASTER):
        if master.id in context.state.vms:
            _await_rights(context, master)


def _objects(spec: ClusterSpec, providers: Providers) -> list[Mapping[str, Any]]:
    """What the cluster and its providers have in the API."""
    ingress = providers.ingress
    brought = ingress.manifests() if isinstance(ingress, IngressManifests) else ()
    return [*bootstrap_objects(spec), *providers.overlay.manifests(), *providers.cluster_dns.manifests(), *brought]


def _await_rights(context: StepContext, master: Instance) -> None:
    """Each API server hears of a binding by itself; until then it refuses what another one allows already."""
    server = server_client(context.spec, context.state, context.vm(master.id).address)

    def granted() -> bool:
        try:
            server.nodes()
        except AuthError as error:
            raise Unavailable(str(error)) from None
        except Unavailable:
            return True  # It is away, and reads every binding when it comes back.
        return True

    context.wait_until(
        granted, what=f"the API server of {master.id} granting the administrator's rights", timeout=RIGHTS_SECONDS
    )


def await_instance(context: StepContext, step: Step) -> None:
    """Wait until the instance does what its role is there for.  ``details`` are the units that were restarted."""
    instance = context.instance(step.instance)
    if not step.details:
        _await_service(context, instance, _patience(instance))
        return
    bound = context.spec.update.watch_seconds
    try:
        _await_units(context, instance, step.details, bound)
        _await_service(context, instance, bound)
        await_pods(context, instance, bound)
    except Unavailable as error:
        raise Unavailable(f"{error}; {GO_ON}", retry_after=None) from None


def _patience(instance: Instance) -> float:
    """How long a machine that is new may take."""
    return {Role.ETCD: ETCD_SECONDS, Role.MASTER: API_SECONDS}.get(instance.role, NODE_SECONDS)


def _await_service(context: StepContext, instance: Instance, bound: float) -> None:
    if instance.role is Role.WORKER:
        _await_node(context, instance, bound)
        return
    address = context.vm(instance.id).address
    if instance.role is Role.MASTER:
        server = server_client(context.spec, context.state, address)
        context.wait_until(
            lambda: server.ready() or None, what=f"the API server of {instance.id} being ready", timeout=bound
        )
    elif instance.role is Role.ETCD:
        etcd = etcd_client(context.spec, context.state)
        context.wait_until(
            lambda: etcd.healthy(address) or None, what=f"etcd member {instance.id} being healthy", timeout=bound
        )


def _await_units(context: StepContext, instance: Instance, units: Sequence[str], bound: float) -> None:
    """A restart is only asked for, and until it happens the old process answers as well as ever."""
    shell = context.shell(instance.id)

    def settled() -> bool:
        if shell.run(["sh", "-c", SETTLED, "sh", *units]).exit_code != 0:
            raise Unavailable("its units are still being restarted")
        return True

    context.wait_until(settled, what=f"the restart of {', '.join(units)} on {instance.id}", timeout=bound)
    # It has proved itself, so how often the one before it crashed counts no more.
    shell.run(["systemctl", "reset-failed", *units])


def _await_node(context: StepContext, instance: Instance, bound: float) -> None:
    """Wait for the Node of this very machine, then let it alone stand for the instance."""
    client = kubernetes_client(context.state)
    vm = context.vm(instance.id)
    name = node_name(context.spec, instance, vm.address)

    def ready() -> bool:
        try:
            node = client.node(name)
        except NotFound:
            raise Unavailable("it has no Node yet") from None
        if node.provider_id != vm.provider_id:
            _register_anew(context, client, instance, node)
            raise Unavailable("its Node was that of a machine that is gone")
        if not node.ready:
            raise Unavailable(node.reason)
        if node.heard < _kubelet_started_at(context, instance):
            raise Unavailable("its kubelet has not reported since it was started")
        return True

    context.wait_until(ready, what=f"the Node {name} of {instance.id} becoming Ready", timeout=bound)
    client.patch_node_labels(name, {**instance_labels(instance), **role_labels(instance.role)})
    for node in client.nodes_of(instance.slug):
        if node.name != name:
            client.delete(node_object(node.name))


def _kubelet_started_at(context: StepContext, instance: Instance) -> int:
    """A Node stays Ready for a while after its kubelet ended, and one that was just started may find it is not."""
    done = context.shell(instance.id).run(["sh", "-c", STARTED_AT])
    told = done.check(f"asking for the kubelet of {instance.id}").decode().strip().removeprefix("@")
    if not told.isdecimal():
        raise Unavailable("its kubelet does not run")
    return int(told)


def _register_anew(context: StepContext, client: KubernetesClient, instance: Instance, stale: NodeStatus) -> None:
    """A kubelet takes over a Node of its name, with the old machine's id and pods, and registers only at its start."""
    client.delete(node_object(stale.name))
    shell = context.shell(instance.id)
    shell.run(["systemctl", "restart", "kubelet"]).check(f"restarting the kubelet of {instance.id}")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
