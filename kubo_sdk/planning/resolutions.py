"""Resolution: what can be done about a problem, by name, and which of them give something up."""

from __future__ import annotations

from enum import StrEnum


class Resolution(StrEnum):
    """Everything that can be asked for about a problem."""

    IGNORE = "ignore"
    START = "start"
    CONFIGURE = "configure"
    RESTART_UNITS = "restart_units"
    REBOOT = "reboot"
    RECREATE = "recreate"
    RECREATE_EMPTY = "recreate_empty"
    DELETE_NODE = "delete_node"
    REMOVE_MEMBER = "remove_member"
    DELETE_DISK = "delete_disk"
    RENEW = "renew"

    @property
    def is_disruptive(self) -> bool:
        """Whether the machine goes away with it, if only for a moment."""
        return self in (Resolution.REBOOT, Resolution.RECREATE, Resolution.RECREATE_EMPTY)

    @property
    def is_destructive(self) -> bool:
        """Whether data goes that nothing brings back.  Done only when asked for by name."""
        return self in (Resolution.RECREATE_EMPTY, Resolution.DELETE_DISK)


SENTENCES = {
    Resolution.IGNORE: "leave it as it is",
    Resolution.START: "start the machine",
    Resolution.CONFIGURE: "bring to the machine what it should carry",
    Resolution.RESTART_UNITS: "restart its units",
    Resolution.REBOOT: "stop the machine hard and start it again",
    Resolution.RECREATE: "make the machine anew, with the same disk",
    Resolution.RECREATE_EMPTY: "make the machine anew and give its data up",
    Resolution.DELETE_NODE: "delete the Node",
    Resolution.REMOVE_MEMBER: "take the member out of etcd's list",
    Resolution.RENEW: "make a new certificate and bring it to who uses it",
    Resolution.DELETE_DISK: "destroy the disk and what is on it",
}
