"""Plan: what will be done, in which order, why, and what it costs.  Data only; printing it is the dry run."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import field, frozen

from kubo_sdk.model.instance import ClusterId


class Effect(StrEnum):
    """What a step does to what is there."""

    CREATE = "create"
    CHANGE = "change"
    RESTART = "restart"
    DELETE = "delete"
    LOSE_DATA = "lose data"
    WAIT = "wait"


class Verb(StrEnum):
    """Every kind of step.  Each has a file of that name in `kubo_sdk.steps`."""

    FETCH_RELEASE = "fetch release"
    PREPARE_INFRASTRUCTURE = "prepare infrastructure"
    ISSUE_AUTHORITIES = "issue authorities"
    CREATE_DISK = "create disk"
    CREATE_VM = "create vm"
    REBOOT_VM = "reboot vm"
    ENSURE_ENDPOINTS = "ensure endpoints"
    ISSUE_CERTIFICATES = "issue certificates"
    PREPARE_INSTANCE = "prepare"
    INSTALL_RELEASE = "install release"
    CONFIGURE_INSTANCE = "configure"
    SECURE_ETCD = "secure etcd"
    START_UNITS = "start"
    AWAIT_API = "await api"
    BOOTSTRAP_CLUSTER = "bootstrap cluster"
    AWAIT_INSTANCE = "await"
    PUBLISH_NAMES = "publish names"
    DRAIN = "drain"
    UNCORDON = "uncordon"
    DELETE_NODE = "delete node"
    MOVE_LEADER = "move leadership"
    JOIN_MEMBER = "join member"
    PROMOTE_MEMBER = "promote member"
    REMOVE_MEMBER = "remove member"
    RECOVER_MEMBER = "recover member"
    STAGE_SNAPSHOT = "stage snapshot"
    REPLACE_DATA = "replace data"
    FORGET_LEASES = "forget leases"
    FORGET_NODES = "forget nodes"
    RESTART_UNITS = "restart units"
    STOP_UNITS = "stop units"
    QUIESCE = "quiesce"
    TRUST_SUCCESSORS = "trust successors"
    SWITCH_SIGNERS = "switch signers"
    SWITCH_BACK = "switch back"
    DROP_OLD = "drop old"
    RENEW_LEAVES = "renew leaves"
    REWRITE_SECRETS = "rewrite secrets"
    RESIGN_TOKENS = "resign tokens"
    AWAIT_PODS = "await pods"
    SETTLE = "settle"
    FORGET_AUTHORITIES = "forget authorities"
    RETIRE_CREDENTIALS = "retire credentials"
    DELETE_ENDPOINTS = "delete endpoints"
    DELETE_NAMES = "delete names"
    DELETE_VM = "delete vm"
    DELETE_DISK = "delete disk"
    DISPOSE_INFRASTRUCTURE = "dispose infrastructure"
    DELETE_CREDENTIALS = "delete credentials"


@frozen(kw_only=True)
class Step:
    """One thing to do.  ``needs`` names the steps that must have ended before it starts.

    ``details`` are what it touches: unit names that restart, credential names, disk ids.  Never a secret.
    """

    verb: Verb
    instance: str | None = None
    reason: str
    effect: Effect
    needs: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Unique in its plan: ``create vm worker/0``."""
        return f"{self.verb} {self.instance}" if self.instance else str(self.verb)

    @property
    def title(self) -> str:
        """What people read."""
        return self.id

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "instance": self.instance,
            "effect": str(self.effect),
            "reason": self.reason,
            "needs": list(self.needs),
            "details": list(self.details),
        }

    def __str__(self) -> str:
        touched = f" [{', '.join(self.details)}]" if self.details else ""
        return f"{self.effect:<9} {self.title}: {self.reason}{touched}"


@frozen(kw_only=True)
class Replacement:
    """A machine that is replaced after the steps of the plan.  ``loses_data``: its disk is made anew, too.

    ``untouched``: until then nothing is changed on it.
    """

    instance: str
    reason: str
    loses_data: bool = False
    untouched: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"instance": self.instance, "reason": self.reason, "loses_data": self.loses_data}

    def __str__(self) -> str:
        return f"{'replace':<9} {self.instance}: {self.reason}"


@frozen(kw_only=True)
class Plan:
    """Ordered steps; every step stands after the steps it needs.

    ``fingerprint`` names the observation the plan was made from; `apply` refuses when it no longer fits.
    ``replaces``: the machines that are replaced afterwards, few at a time, each round planned when it begins.
    ``interrupts``: a sentence for everything that is not served all the time meanwhile.
    """

    cluster: ClusterId
    operation: str
    steps: tuple[Step, ...] = ()
    fingerprint: str = field(default="", repr=False)
    keeps_disks: bool = False
    replaces: tuple[Replacement, ...] = ()
    interrupts: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when the cluster is as wished for."""
        return not (self.steps or self.replaces)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "cluster": str(self.cluster),
            "operation": self.operation,
            "fingerprint": self.fingerprint,
            "steps": [step.to_dict() for step in self.steps],
            "replaces": [replacement.to_dict() for replacement in self.replaces],
            "interrupts": list(self.interrupts),
        }

    def __str__(self) -> str:
        if self.is_empty:
            return f"{self.operation} {self.cluster}: nothing to do"
        lines = [f"{self.operation} {self.cluster}: {len(self.steps)} steps"]
        lines += [f"  {step}" for step in (*self.steps, *self.replaces)]
        return "\n".join([*lines, *(f"interrupts: {sentence}" for sentence in self.interrupts)])
