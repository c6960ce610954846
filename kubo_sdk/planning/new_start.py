"""New starts of those who remember what etcd had, after its revisions went back: they would watch for old ones."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Verb


def of_role(observation: Observation, role: Role) -> list[InstanceView]:
    """The instances of that role."""
    return [view for view in observation.instances if view.instance.role is role]


def restart(draft: Draft, view: InstanceView, units: tuple[str, ...], *, needs: Iterable[str]) -> str:
    """Add the new start of *units*."""
    if not units:
        return ""
    return draft.add(
        Verb.RESTART_UNITS,
        instance=view.instance.id,
        reason="what it remembers is newer than what is stored",
        effect=Effect.RESTART,
        needs=needs,
        details=units,
    )


def await_service(draft: Draft, view: InstanceView, *, needs: Iterable[str], units: Iterable[str] = ()) -> str:
    """Add the wait until the instance serves, with all its *units*."""
    return draft.add(
        Verb.AWAIT_INSTANCE,
        instance=view.instance.id,
        reason="it must serve before the work goes on",
        effect=Effect.WAIT,
        needs=needs,
        details=units,
    )


def serve_again(draft: Draft, view: InstanceView, *, needs: Iterable[str]) -> str:
    """Add the new start of everything on the instance, and the wait until it serves."""
    restarted = restart(draft, view, view.units, needs=needs)
    return await_service(draft, view, needs=[restarted], units=view.units)
