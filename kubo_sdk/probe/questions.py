"""The questions to one machine, one etcd member, one API server.  Each raises ProviderError where nobody answers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from kubo_sdk.clients.etcd import EtcdClient, MemberStatus
from kubo_sdk.clients.etcd_members import Member
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient, NodeStatus
from kubo_sdk.errors import AuthError, ProviderError, Unavailable
from kubo_sdk.nodes.probe_script import VitalSigns, parse_vital_signs, probe_command
from kubo_sdk.ports.credentials import User
from kubo_sdk.ports.shell import Shell

BEATS = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
# Said of a server that answers a ping and nothing else: so it does without etcd.
WAITS = "alive, and answers nothing else"

_ALARM = re.compile(r"alarm:\s*([A-Z]+)")
_MEMBER = re.compile(r"memberID:\s*(\d+)")
_FAILED_CHECK = re.compile(r"^\[-\]([^ ]+)", re.MULTILINE)


@frozen(kw_only=True)
class MemberAnswer:
    """What one etcd member said.  ``members`` is its own list of everybody, empty when it could tell none."""

    healthy: bool
    status: MemberStatus
    members: tuple[Member, ...]

    @property
    def alarms(self) -> tuple[tuple[int, str], ...]:
        """Every alarm the member knows of, with the id of the member it is about."""
        return tuple(alarm for error in self.status.errors if (alarm := _alarm(error)))


def _alarm(error: str) -> tuple[int, str] | None:
    kind, member = _ALARM.search(error), _MEMBER.search(error)
    return (int(member[1]), kind[1]) if kind and member else None


def ask_machine(shell: Shell, *, disk: bool, doors: Iterable[str] = (), patience: float) -> VitalSigns:
    """The vital signs of one machine, which tries the *doors* of others."""
    outcome = shell.run(probe_command(disk=disk, doors=doors), timeout=patience)
    told = outcome.check("asking the machine how it is").decode(errors="replace")
    try:
        return parse_vital_signs(told)
    except (ValueError, IndexError) as error:
        raise ProviderError(f"the machine's answer makes no sense: {error}") from None


def ask_member(client: EtcdClient, host: str, root: User | None) -> MemberAnswer:
    """The member on *host*.  What it says of itself comes without the others, so it comes without a quorum as well."""
    try:
        status = client.status(host)
    except AuthError:
        # Newer versions tell only those who signed in.
        if root is None or not client.authenticate(root.username, root.password):
            raise
        status = client.status(host)
    # A learner serves no reads that need a quorum, and is as well as it can be once it follows a leader.
    healthy = bool(status.leader) if status.learner else client.healthy(host)
    try:
        members = client.members_at(host)
    except ProviderError:
        members = ()  # Newer versions ask the others first.
    return MemberAnswer(healthy=healthy, status=status, members=members)


def ask_api_server(https: HttpsClient) -> tuple[str, ...]:
    """The checks that keep one API server from being ready; none when it is.  Unavailable when it says nothing.

    One that hangs and one that waits for etcd are two things: the second still answers a ping.
    """
    https.request("GET", "/livez/ping")
    try:
        response = https.request("GET", "/readyz")
    except Unavailable:
        return (WAITS,)
    if response.status == 200:
        return ()
    failed = _FAILED_CHECK.findall(response.body.decode(errors="replace"))
    return tuple(failed) or (f"HTTP {response.status}",)


def ask_beats(https: HttpsClient) -> dict[str, str]:
    """By the name of each Node, when its kubelet has renewed its lease last, as the kubelet's own clock tells."""
    leases = KubernetesClient(https).list(BEATS)
    return {lease["metadata"]["name"]: str(lease.get("spec", {}).get("renewTime", "")) for lease in leases}


def ask_nodes(https: HttpsClient) -> tuple[NodeStatus, ...]:
    """Every Node."""
    return KubernetesClient(https).nodes()
