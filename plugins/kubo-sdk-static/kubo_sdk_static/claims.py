"""Claim: whose a machine is, as the machine itself keeps it; Look: what a machine says when it is looked at."""

from __future__ import annotations

import json
import secrets
from enum import StrEnum

from attrs import frozen

from kubo_sdk.errors import Conflict
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Vm, VmRequest, VmState
from kubo_sdk_static.machines_file import Machine

FORMAT = 1
_PARTS = "."


@frozen(kw_only=True)
class Claim:
    """Who has a machine.  ``id`` is new for every claim; ``at`` is when it was made, ISO 8601 in UTC.

    ``by`` is the host and process of the director that made it.  ``address`` is where the machine was then.
    """

    id: str
    machine: str
    cluster: ClusterId
    instance: str
    token: str
    az: str
    address: str
    at: str
    by: str
    tags: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, request: VmRequest, machine: Machine, *, at: str, by: str) -> Claim:
        """A new claim of *machine* for what is asked for."""
        return cls(
            id=f"{machine.name}{_PARTS}{secrets.token_hex(6)}",
            machine=machine.name,
            cluster=request.cluster,
            instance=request.instance.id,
            token=request.token,
            az=request.instance.az,
            address=str(machine.address),
            at=at,
            by=by,
            tags=request.tags,
        )

    def record(self) -> str:
        """One line of JSON."""
        kept = {
            "format": FORMAT,
            "id": self.id,
            "machine": self.machine,
            "director": self.cluster.director,
            "cluster": self.cluster.name,
            "instance": self.instance,
            "token": self.token,
            "az": self.az,
            "address": self.address,
            "at": self.at,
            "by": self.by,
            "tags": [list(tag) for tag in self.tags],
        }
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=True)

    def fills(self, request: VmRequest) -> bool:
        """Whether it is for what is asked for."""
        return (self.cluster, self.token) == (request.cluster, request.token)

    def vm(self, state: VmState) -> Vm:
        """The claimed machine, as the core knows it."""
        return Vm(
            id=self.id,
            cluster=self.cluster,
            instance=self.instance,
            token=self.token,
            state=state,
            address=self.address,
            az=self.az,
            provider_id=f"static://{self.machine}/{self.id.rpartition(_PARTS)[2]}",
            tags=self.tags,
        )


def read_claim(record: str) -> Claim:
    """The claim that *record* tells.  Conflict when a newer version wrote it, or nobody can read it."""
    try:
        kept = json.loads(record)
        known = kept["format"] == FORMAT
        if known:
            return Claim(
                cluster=ClusterId(director=kept["director"], name=kept["cluster"]),
                tags=tuple((str(key), str(value)) for key, value in kept["tags"]),
                **{key: str(kept[key]) for key in ("id", "machine", "instance", "token", "az", "address", "at", "by")},
            )
    except (ValueError, KeyError, TypeError) as error:
        raise Conflict(f"it carries a claim nobody can read ({error}); look at /var/lib/kubo-static there") from error
    raise Conflict("it was claimed by a newer kubo-sdk-static; use that one")


def machine_of(vm_id: str) -> str:
    """The name of the machine that the id of a claim begins with."""
    return vm_id.rpartition(_PARTS)[0]


class Phase(StrEnum):
    """How far a claim is."""

    CLAIMED = "claimed"
    SETTLED = "settled"
    RELEASING = "releasing"


@frozen(kw_only=True)
class Look:
    """What a machine said.  ``mark`` is another after every restart; ``used``: why an unclaimed one cannot be taken.

    ``notes`` are the machines whose claims it remembers.
    """

    mark: str
    cpus: int
    memory_mb: int
    claim: Claim | None = None
    phase: Phase = Phase.CLAIMED
    used: str = ""
    notes: tuple[str, ...] = ()


def parse_look(text: str) -> Look:
    """Read the output of `scripts.LOOK`.  Conflict as for `read_claim`, or when it is something else."""
    told = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    try:
        cpus, memory_mb = told["size"].split()
        return Look(
            mark=told["mark"],
            cpus=int(cpus),
            memory_mb=int(memory_mb),
            claim=read_claim(told["claim"]) if "claim" in told else None,
            phase=Phase(told.get("state", Phase.CLAIMED)),
            used=told.get("used", ""),
            notes=tuple(told.get("notes", "").split()),
        )
    except (KeyError, ValueError) as error:
        raise Conflict(f"it said what nobody can read ({error}); does its shell print something of its own?") from error
