"""Problem: something that is wrong with a cluster, with a name, a sentence and what can be done about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import field, frozen

from kubo_sdk.planning.resolutions import Resolution


class ProblemType(StrEnum):
    """The types of BOSH's cloud check, and those of Kubernetes and etcd."""

    MISSING_VM = "missing_vm"
    STOPPED_VM = "stopped_vm"
    UNRESPONSIVE_MACHINE = "unresponsive_machine"
    CUT_OFF_MACHINE = "cut_off_machine"
    UNCONFIGURED_MACHINE = "unconfigured_machine"
    MISSING_DISK = "missing_disk"
    INACTIVE_DISK = "inactive_disk"
    MOUNT_MISMATCH = "mount_mismatch"
    FULL_DISK = "full_disk"
    FAILED_UNIT = "failed_unit"
    API_SERVER_STUCK = "api_server_stuck"
    ENDPOINT_UNREACHABLE = "endpoint_unreachable"
    ETCD_MEMBER_DOWN = "etcd_member_down"
    ETCD_MEMBER_CORRUPT = "etcd_member_corrupt"
    ETCD_MEMBER_WITHOUT_MACHINE = "etcd_member_without_machine"
    ETCD_ALARM = "etcd_alarm"
    QUORUM_LOST = "quorum_lost"
    NODE_NOT_READY = "node_not_ready"
    MACHINE_WITHOUT_NODE = "machine_without_node"
    NODE_WITHOUT_MACHINE = "node_without_machine"
    STRAY_VM = "stray_vm"
    STRAY_DISK = "stray_disk"
    EXPIRED_CERTIFICATE = "expired_certificate"


class Evidence(StrEnum):
    """How sure it is.  TOLD: somebody who knows said so.  STUCK: a program does not answer on a machine that does.
    SILENT: there is no answer, perhaps only none in time.  SERVES: no answer either, but others hear of it.
    """

    TOLD = "told"
    STUCK = "stuck"
    SILENT = "silent"
    SERVES = "serves"


_LADDER = (Resolution.RESTART_UNITS, Resolution.REBOOT, Resolution.RECREATE)

# What may be done about each type, gentlest first: the rungs of automatic repair, in its order.
RUNGS: dict[ProblemType, tuple[Resolution, ...]] = {
    ProblemType.MISSING_VM: (Resolution.RECREATE,),
    ProblemType.STOPPED_VM: (Resolution.START, Resolution.RECREATE),
    ProblemType.UNRESPONSIVE_MACHINE: (Resolution.REBOOT, Resolution.RECREATE),
    ProblemType.CUT_OFF_MACHINE: (Resolution.REBOOT, Resolution.RECREATE),
    ProblemType.UNCONFIGURED_MACHINE: (Resolution.CONFIGURE, Resolution.RECREATE),
    ProblemType.INACTIVE_DISK: (Resolution.RECREATE,),
    ProblemType.MOUNT_MISMATCH: (Resolution.REBOOT, Resolution.RECREATE),
    ProblemType.FAILED_UNIT: _LADDER,
    ProblemType.API_SERVER_STUCK: _LADDER,
    ProblemType.ENDPOINT_UNREACHABLE: _LADDER,
    ProblemType.ETCD_MEMBER_DOWN: (*_LADDER, Resolution.RECREATE_EMPTY),
    ProblemType.ETCD_MEMBER_CORRUPT: (Resolution.RECREATE_EMPTY,),
    ProblemType.ETCD_MEMBER_WITHOUT_MACHINE: (Resolution.REMOVE_MEMBER,),
    ProblemType.NODE_NOT_READY: _LADDER,
    ProblemType.MACHINE_WITHOUT_NODE: (Resolution.RESTART_UNITS, Resolution.RECREATE),
    ProblemType.NODE_WITHOUT_MACHINE: (Resolution.DELETE_NODE,),
    ProblemType.EXPIRED_CERTIFICATE: (Resolution.RENEW,),
}

# What only a person may ask for, beside the rungs.
ON_REQUEST: dict[ProblemType, tuple[Resolution, ...]] = {
    ProblemType.MISSING_DISK: (Resolution.RECREATE,),
    ProblemType.STRAY_DISK: (Resolution.DELETE_DISK,),
}


@frozen(kw_only=True)
class Problem:
    """One problem.  ``instance`` is the id of a slot, or empty where it concerns none.

    ``subject`` names what is ill: the instance, or a Node, a member, a disk, a certificate.  ``details`` are the units
    that do not run, or what else the resolutions work on.  ``rungs`` are what automatic repair may do, in its order;
    ``loses_nothing``: the data that a rung would give up is gone already.
    """

    type: ProblemType
    subject: str
    instance: str = ""
    sentence: str
    details: tuple[str, ...] = ()
    rungs: tuple[Resolution, ...] = field()
    loses_nothing: bool = False
    evidence: Evidence = Evidence.TOLD

    @rungs.default
    def _default_rungs(self) -> tuple[Resolution, ...]:
        return RUNGS.get(self.type, ())

    @property
    def id(self) -> str:
        """Unique among the problems of a cluster: ``failed_unit:worker/0``."""
        return f"{self.type}:{self.subject}"

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """What can be asked for.  The first is the default; it is ``ignore`` where nothing else is safe."""
        possible = tuple(dict.fromkeys((*self.rungs, *ON_REQUEST.get(self.type, ()))))
        if not self.rungs or self.destroys(self.rungs[0]):
            return (Resolution.IGNORE, *possible)
        return (*possible, Resolution.IGNORE)

    @property
    def default(self) -> Resolution:
        """What `check --auto` does."""
        return self.resolutions[0]

    def destroys(self, resolution: Resolution) -> bool:
        """Whether *resolution* would give up data that is still there."""
        return resolution.is_destructive and not self.loses_nothing

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "id": self.id,
            "type": str(self.type),
            "subject": self.subject,
            "instance": self.instance,
            "sentence": self.sentence,
            "details": list(self.details),
            "default": str(self.default),
            "resolutions": [{"name": str(each), "destructive": self.destroys(each)} for each in self.resolutions],
        }

    def __str__(self) -> str:
        return f"{self.id}: {self.sentence}"
