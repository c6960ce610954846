"""Replaces etcd's data by a snapshot, and has everybody forget what is true no longer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.errors import NotFound, QuotaExceeded
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.nodes.etcd import data_directory, etcd_minor, peer_url
from kubo_sdk.nodes.etcd_restore import BUILD, DISCARD, LOOK, NO_ROOM, READY, RECEIVE, REPLACE
from kubo_sdk.planning.membership import slug_of_instance
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.credentials import User, value_of
from kubo_sdk.ports.shell import Shell
from kubo_sdk.steps.access import any_server_client, etcd_client
from kubo_sdk.steps.context import SnapshotToRestore, StepContext
from kubo_sdk.steps.drain import node_object

# What one command carries.  A machine behind SSH takes it in a second or two.
PIECE_BYTES = 8 * 1024 * 1024
RECEIVE_SECONDS = 120.0
BUILD_SECONDS = 600.0
REPLACE_SECONDS = 180.0
# The tool that restores: etcdutl takes over from etcdctl with 3.5, and 3.6 has no other.
ETCDUTL_SINCE = 5

# Who leads whom, as it was: the director's lease and the leaders of the control plane, and where the API servers were.
LEASES = "/registry/leases/kube-system/"
API_SERVERS = "/registry/masterleases/"


def stage_snapshot(context: StepContext, step: Step) -> None:
    """Send the snapshot to the member's machine and build its new data directory beside the one it uses.

    Raises QuotaExceeded where there is no room for both.  Goes on where an earlier one was cut off.
    """
    snapshot, shell = _snapshot(context), context.shell(str(step.instance))
    directory = _directory(context, step)
    outcome = shell.run(["sh", "-c", LOOK, "sh", directory, snapshot.token, str(snapshot.size)])
    if outcome.exit_code == NO_ROOM:
        lacks = outcome.stderr.decode(errors="replace").strip()
        raise QuotaExceeded(
            f"there is no room for the snapshot on {step.instance}: {lacks}; give it a larger disk, or make room"
        )
    told = outcome.check(f"preparing {step.instance} for its new data").decode().strip()
    if told != READY:
        _send(shell, snapshot, int(told), step)
        _build(context, step, shell, directory)


def replace_data(context: StepContext, step: Step) -> None:
    """Have the member's new data take the place of the old, and start it."""
    command = ["sh", "-c", REPLACE, "sh", _directory(context, step), _snapshot(context).token]
    outcome = context.shell(str(step.instance)).run(command, timeout=REPLACE_SECONDS)
    outcome.check(f"replacing the data of {step.instance}")


def new_log(
    context: StepContext, instance: Instance, members: Iterable[Instance], token: str
) -> tuple[str, tuple[str, ...]]:
    """The tool, and its flags, that make a database the beginning of the log of *instance*, one of *members*.

    *token* is unlike that of any other cluster the same machines ever were.
    """
    spec, release = context.spec, context.release()
    tool = "etcdutl" if etcd_minor(release.etcd_version) >= ETCDUTL_SINCE else "etcdctl"
    flags = (
        f"--name={instance.slug}",
        f"--initial-cluster={','.join(f'{member.slug}={peer_url(spec, member)}' for member in members)}",
        f"--initial-cluster-token={token}",
        f"--initial-advertise-peer-urls={peer_url(spec, instance)}",
    )
    return release.binary(tool), flags


def discard_snapshot(shell: Shell, directory: str) -> None:
    """Remove what was staged on a machine."""
    shell.run(["sh", "-c", DISCARD, "sh", directory]).check("removing what was made for a restore")


def forget_leases(context: StepContext, _step: Step) -> None:
    """Delete the leases of etcd's data that nobody holds any more, before an API server reads them."""
    client = etcd_client(context.spec, context.state)
    root = value_of(context.state.credentials, "etcd-root", User)
    client.authenticate(root.username, root.password)
    for prefix in (LEASES, API_SERVERS):
        for found in client.list(prefix):
            client.delete(found.key)


def forget_nodes(context: StepContext, _step: Step) -> None:
    """Delete the Nodes of machines that are gone, and the pods that were on them."""
    client = any_server_client(context.spec, context.state, timeout=5.0)
    alive = {slug_of_instance(name): vm.provider_id for name, vm in context.state.vms.items()}

    def is_gone(node: NodeStatus) -> bool:
        return bool(node.instance) and alive.get(node.instance) != node.provider_id

    for node in filter(is_gone, client.nodes()):
        client.delete(node_object(node.name))
        for pod in client.pods_on(node.name):
            metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
            client.delete({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}, grace_seconds=0)


def _send(shell: Shell, snapshot: SnapshotToRestore, have: int, step: Step) -> None:
    sent = 0
    for piece in _pieces(snapshot.open()):
        if sent + len(piece) > have:
            command = ["sh", "-c", RECEIVE, "sh", snapshot.token, str(sent)]
            outcome = shell.run(command, stdin=piece, timeout=RECEIVE_SECONDS)
            outcome.check(f"sending the snapshot to {step.instance}")
        sent += len(piece)


def _pieces(stream: Iterator[bytes]) -> Iterator[bytes]:
    """*stream* in pieces of the same size."""
    held = bytearray()
    for each in stream:
        held += each
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)


def _build(context: StepContext, step: Step, shell: Shell, directory: str) -> None:
    spec, snapshot, instance = context.spec, _snapshot(context), context.instance(step.instance)
    tool, flags = new_log(context, instance, spec.instances(Role.ETCD), f"{spec.director}-{spec.name}-{snapshot.token}")
    command = ["sh", "-c", BUILD, "sh", directory, snapshot.token, snapshot.sha256, tool, *flags]
    shell.run(command, timeout=BUILD_SECONDS).check(f"building the new data of {step.instance}")


def _directory(context: StepContext, step: Step) -> str:
    return data_directory(context.spec.group(context.instance(step.instance).group))


def _snapshot(context: StepContext) -> SnapshotToRestore:
    if context.state.snapshot is None:
        raise NotFound(f"no backup of cluster {context.spec.id} is open; run: kubo restore")
    return context.state.snapshot
