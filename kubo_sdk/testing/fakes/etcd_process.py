"""A fake etcd member's process: how it finds its cluster at its start, and the port it answers on."""

from __future__ import annotations

from collections.abc import Mapping
from ssl import SSLContext, SSLObject, SSLSocket
from typing import TYPE_CHECKING

from kubo_sdk.nodes.etcd import JOIN_FILE
from kubo_sdk.testing.fakes.etcd_data import EtcdData, Member
from kubo_sdk.testing.fakes.etcd_gateway import Gateway
from kubo_sdk.testing.fakes.units import FakeUnit, StartFailed, environment, flags
from kubo_sdk.testing.fakes.wire import Dropped, Listener, Reply, Request, server_context

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

CLIENT_PORT = 2379
VERSION = "3.4.23"


def etcd_settings(text: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """etcd's settings by the names of its flags; a flag wins over the variable of the same name."""
    variables = {
        name.removeprefix("ETCD_").lower().replace("_", "-"): value
        for name, value in environment(text, files).items()
        if name.startswith("ETCD_")
    }
    return variables | flags(text)


class EtcdProcess:
    """Runs from the start of etcd's unit to its end.  Its data outlives it where the data directory does."""

    def __init__(self, machine: FakeMachine, unit: FakeUnit, text: str) -> None:
        self._machine, self._unit = machine, unit
        self._settings = etcd_settings(text, machine.files)
        if machine.disk_is_full:
            raise StartFailed("no space left on device")
        self.data, self.member = self._join()
        self.member.started, self.member.process = True, self._running_since
        self.member.client_urls = (self._settings.get("advertise-client-urls", ""),)
        self._fresh: SSLContext | None = None
        self._shown, context = b"", self._context()
        context.sni_callback = self._show_what_lies_there
        self.listener = Listener(address=(machine.address, CLIENT_PORT), handle=self._answer, context=context)
        # One that joins listens to its own machine alone, until it has a vote and is started again.
        self._listens = machine.address in self._settings.get("listen-client-urls", machine.address)
        if self._listens:
            machine.cloud.doorman.open(self.listener)
            machine.cloud.etcd_at[machine.address] = self
        machine.files.pop(JOIN_FILE, None)

    def _context(self) -> SSLContext:
        files = self._machine.files
        self._shown = files[self._settings["cert-file"]]
        key, authorities = files[self._settings["key-file"]], files[self._settings["trusted-ca-file"]]
        return server_context(self._shown, key, authorities, required=True)

    def _show_what_lies_there(self, connection: SSLObject | SSLSocket, _name: str | None, _own: SSLContext) -> None:
        """etcd reads its certificate anew for every connection; whom it trusts, it read at its start."""
        if self._machine.files[self._settings["cert-file"]] != self._shown:
            self._fresh = self._context()
        if self._fresh is not None:
            connection.context = self._fresh

    def ready(self) -> bool:
        return bool(self.data.leader) or self.member.learner

    @property
    def serves(self) -> bool:
        """Whether it can answer a client's request that needs the others."""
        return self._running_since() is not None and bool(self.data.leader)

    def stop(self) -> None:
        if self.member.process == self._running_since:
            self.member.process = None
        if self._machine.cloud.etcd_at.get(self._machine.address) is self:
            del self._machine.cloud.etcd_at[self._machine.address]
        self._machine.cloud.doorman.shut(self.listener)

    def _running_since(self) -> float | None:
        return self._unit.ready_at if self._machine.serves(self._unit) and not self._machine.disk_is_full else None

    def _answer(self, request: Request) -> Reply:
        cloud = self._machine.cloud
        if cloud.faults.is_dead or not self._machine.serves(self._unit):
            raise Dropped
        with cloud.lock:
            if self.member.id not in self.data.members:
                raise Dropped
            return Gateway(data=self.data, member=self.member, version=VERSION).answer(request)

    # -- how it finds its cluster

    def _join(self) -> tuple[EtcdData, Member]:
        kept = self._machine.place_of(self._settings["data-dir"])
        held = kept.get("etcd")
        if held is not None:
            data, member = held
            if self._settings.get("force-new-cluster") == "true":
                data.members = {member.id: member}
            if member.id not in data.members:
                raise StartFailed("the member has been permanently removed from the cluster")
            return data, member
        name, wanted = self._settings["name"], self._initial_cluster()
        if name not in wanted:
            raise StartFailed(f"couldn't find local name {name!r} in the initial cluster configuration")
        state = self._settings.get("initial-cluster-state", "new")
        data, member = self._join_new(name, wanted) if state == "new" else self._join_existing(name, wanted)
        kept["etcd"] = (data, member)
        return data, member

    def _initial_cluster(self) -> dict[str, str]:
        pairs = self._settings.get("initial-cluster", "").split(",")
        return {name: url for name, _, url in (pair.partition("=") for pair in pairs) if url}

    def _join_new(self, name: str, wanted: dict[str, str]) -> tuple[EtcdData, Member]:
        """A member of a static cluster.  One that was a member before and comes back empty is refused."""
        site = self._machine.site
        identity = (self._settings.get("initial-cluster-token", ""), frozenset(wanted.items()))
        data = site.bootstraps.get(identity)
        if data is not None and not self._somebody_holds(data):
            data = None
        if data is None:
            data = site.bootstraps[identity] = EtcdData(clock=self._machine.cloud.clock)
            for each, url in wanted.items():
                data.add(each, (url,))
        member = next((member for member in data.members.values() if member.name == name), None)
        if member is None or member.started:
            raise StartFailed(f"member {name} has already been bootstrapped")
        return data, member

    def _join_existing(self, name: str, wanted: dict[str, str]) -> tuple[EtcdData, Member]:
        """A member that was added to a running cluster before its first start."""
        url = wanted[name]
        for data in self._machine.site.etcd_clusters():
            for member in data.members.values():
                if url in member.peer_urls and data.running():
                    known = {each for held in data.members.values() for each in held.peer_urls}
                    if known != set(wanted.values()):
                        raise StartFailed("member count is unequal")
                    if member.started:
                        raise StartFailed(f"member {name} has already been bootstrapped")
                    member.name = name
                    return data, member
        raise StartFailed("could not retrieve cluster information from peer urls")

    def _somebody_holds(self, data: EtcdData) -> bool:
        """Whether any machine or disk still has data of that cluster."""
        return any(held.get("etcd", (None,))[0] is data for held in self._machine.site.places())
