"""Interview: all the questions of one probe, put at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

from attrs import frozen

from kubo_sdk.clients.connection import Address
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.etcd import CLIENT_PORT
from kubo_sdk.nodes.probe_script import VitalSigns
from kubo_sdk.ports.cpi import Cpi, Vm, VmState
from kubo_sdk.ports.credentials import Credential, User
from kubo_sdk.probe.answers import Answers, MachineAnswer
from kubo_sdk.probe.asking import AskingThreads
from kubo_sdk.probe.doors import doors_for
from kubo_sdk.probe.ground import Ground
from kubo_sdk.probe.lines import Lines
from kubo_sdk.probe.memory import trouble_of
from kubo_sdk.probe.questions import MemberAnswer, ask_api_server, ask_beats, ask_machine, ask_member, ask_nodes
from kubo_sdk.steps.access import ADMIN
from kubo_sdk.steps.endpoints import API

DIRECTOR = "director-etcd"
ETCD_ROOT = "etcd-root"

# Shares of the patience: for one question, and for the API's endpoint before its servers are asked past it.
ONE_QUESTION = 0.7
BY_ANOTHER_WAY = 0.4

T = TypeVar("T")
NodesAnswer = Future[tuple[NodeStatus, ...]]


@frozen(kw_only=True)
class Interview:
    """``well``: by id of the machine, answers that are still good enough; ``trusted``: the machines that were well
    when they were asked last.  ``beats``: the leases of the Nodes are asked for.  ``ends``: when, as monotonic time.
    """

    spec: ClusterSpec
    cpi: Cpi
    ground: Ground
    threads: AskingThreads
    lines: Lines
    well: Mapping[str, MachineAnswer]
    trusted: Collection[str]
    beats: bool = False
    now: datetime
    ends: float

    def answers(self) -> Answers:
        """Ask everybody, and return when all have answered or the time is over."""
        keys = self.ground.keys
        through = self._ask_nodes()
        servers = self._ask_servers()
        members = self._ask_members()
        beats = self._ask_beats()
        machines = {instance.id: self._ask_machine(instance, vm) for instance, vm in self._running()}
        beside = self._ask_nodes_beside(through, servers)
        shells = [machine.answer for machine in machines.values()]
        asked: list[Future[Any]] = [*shells, *servers.values(), *members.values(), *through, *beats]
        wait(asked, self._left())
        self._await_one([*through, *beside])
        told = (answer.result() for answer in (*through, *beside) if not trouble_of(answer))
        troubles = [trouble_of(answer) for answer in through]
        return Answers(
            machines=machines,
            servers=servers,
            members=members,
            nodes=next(told, None),
            beats=next((beat.result() for beat in beats if not trouble_of(beat)), {}),
            api_ready=any(not trouble for trouble in troubles),
            no_nodes="; ".join(troubles) or "it has no address yet",
            unasked=f"no credentials: {keys.trouble or 'deploy the cluster'}",
        )

    def _ask_machine(self, instance: Instance, vm: Vm) -> MachineAnswer:
        if vm.id in self.well:
            return self.well[vm.id]
        disk = self.spec.group(instance.group).persistent_disk_mb > 0
        endpoint, vms = self.ground.endpoints.value.get(API), self.ground.vms.value
        doors = doors_for(self.spec, instance, vms, endpoint, trusted=vm.id in self.trusted)

        def question() -> VitalSigns:
            return ask_machine(self.cpi.open_shell(vm), disk=disk, doors=doors, patience=self.lines.patience)

        return MachineAnswer(answer=self.threads.ask(("shell", vm.id), question), seen=self.now)

    def _ask_servers(self) -> dict[str, Future[tuple[str, ...]]]:
        admin, port = self._key(ADMIN), self.spec.kubernetes.api_port
        if admin is None:
            return {}
        return {
            master.id: self._ask_line("server", (vm.address, port), admin, ask_api_server)
            for master, vm in self._running(Role.MASTER)
            if vm.address
        }

    def _ask_members(self) -> dict[str, Future[MemberAnswer]]:
        director, found = self._key(DIRECTOR), self._key(ETCD_ROOT)
        if director is None:
            return {}
        root = found.value if found is not None and isinstance(found.value, User) else None

        def ask(address: str) -> Future[MemberAnswer]:
            def question() -> MemberAnswer:
                return ask_member(self.lines.to_etcd((address, CLIENT_PORT), director), address, root)

            return self.threads.ask(("member", address), question)

        groups = {group.name for group in self.spec.instance_groups if group.role is Role.ETCD}
        # Members that are to leave still have a vote, so they are asked as well.
        return {
            vm.instance: ask(vm.address)
            for vm in self.ground.vms.value.values()
            if vm.instance.partition("/")[0] in groups and vm.state is not VmState.STOPPED and vm.address
        }

    def _ask_nodes(self) -> list[NodesAnswer]:
        """Through the endpoint, as everybody does."""
        admin, api = self._key(ADMIN), self.ground.endpoints.value.get(API)
        if admin is None or api is None:
            return []
        return [self._ask_line("nodes", (api.host, api.port), admin, ask_nodes)]

    def _ask_beats(self) -> list[Future[dict[str, str]]]:
        admin, api = self._key(ADMIN), self.ground.endpoints.value.get(API)
        if not self.beats or admin is None or api is None:
            return []
        return [self._ask_line("beats", (api.host, api.port), admin, ask_beats)]

    def _ask_nodes_beside(
        self, through: list[NodesAnswer], servers: Mapping[str, Future[tuple[str, ...]]]
    ) -> list[NodesAnswer]:
        """Past the endpoint, of every API server that is ready, when the endpoint tells nothing: a dead proxy alone
        must not hide the workers.
        """
        admin, port = self._key(ADMIN), self.spec.kubernetes.api_port
        wait(through, self._left(BY_ANOTHER_WAY))
        if admin is None or any(not trouble_of(answer) for answer in through):
            return []
        wait(servers.values(), self._left(BY_ANOTHER_WAY))
        return [
            self._ask_line("nodes", (self.ground.vms.value[master].address, port), admin, ask_nodes)
            for master, answer in servers.items()
            if not trouble_of(answer) and not answer.result()
        ]

    def _await_one(self, answers: list[NodesAnswer]) -> None:
        """Wait until one of them has brought something, or none can any more."""
        waiting = set(answers)
        while waiting and all(trouble_of(answer) for answer in answers):
            ended, waiting = wait(waiting, self._left(), FIRST_COMPLETED)
            if not ended:
                return

    def _ask_line(
        self, what: str, address: Address, who: Credential, question: Callable[[HttpsClient], T]
    ) -> Future[T]:
        return self.threads.ask((what, address), lambda: question(self.lines.to(address, who)))

    def _key(self, leaf: str) -> Credential | None:
        return self.ground.keys.value.opened.get(leaf)

    def _running(self, role: Role | None = None) -> Iterator[tuple[Instance, Vm]]:
        for instance in self.spec.instances(role):
            vm = self.ground.vms.value.get(instance.id)
            if vm is not None and vm.state is not VmState.STOPPED:
                yield instance, vm

    def _left(self, share: float = 1.0) -> float:
        """Seconds until the end, or *share* of them."""
        return max(0.0, (self.ends - monotonic()) * share)
