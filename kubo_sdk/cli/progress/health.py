"""What the events of watching, repairing and backing up read like in one line."""

from __future__ import annotations

from kubo_sdk.events import (
    BackupFailed,
    BackupTaken,
    Event,
    LookFailed,
    ProblemGone,
    ProblemSeen,
    RepairDecided,
    RepairRefused,
    RepairsHeld,
    RepairsResumed,
    RepairStopped,
)


def health_line(event: Event) -> str:
    """*event* in one line; empty for events of something else."""
    instance = getattr(event, "instance", "") or "cluster"
    said = _said(event) or _saved(event)
    return f"{instance:<12} {said}" if said else ""


def _saved(event: Event) -> str:
    match event:
        case BackupTaken():
            return f"backup {event.backup}: {event.objects} objects in {event.seconds:.1f} s"
        case BackupFailed():
            return f"no backup: {event.error}"
    return ""


def _said(event: Event) -> str:
    said = ""
    match event:
        case ProblemSeen():
            said = f"problem {event.problem}: {event.sentence}"
        case ProblemGone():
            said = f"problem {event.problem} is gone after {event.seconds:.1f} s"
        case RepairDecided():
            said = f"{event.resolution}, attempt {event.attempt} of {event.attempts}: {event.why}"
        case RepairRefused():
            said = f"{event.problem} is left as it is: {event.why}"
        case RepairStopped():
            said = f"the repair is stopped: {event.why}"
        case RepairsHeld():
            said = f"repairs are held: {event.why}"
        case RepairsResumed():
            said = "repairs go on"
        case LookFailed():
            said = f"failed: {event.error}"
    return said
