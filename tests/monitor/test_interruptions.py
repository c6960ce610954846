"""A director that is killed at any call of a repair: the next one finishes it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from kubo_sdk import CancelToken
from kubo_sdk.events import Event, RepairDecided
from kubo_sdk.testing.fakes import DirectorKilled, sized

from .ward import Ward

ENOUGH = 400


def killed_at(ward: Ward, call: int, *, after: bool) -> bool:
    """Run the monitor, and kill it at the *call*-th call behind its first decision; whether there was such a call."""
    armed: list[Event] = []

    def arm(event: Event) -> None:
        if isinstance(event, RepairDecided) and not armed:
            armed.append(event)
            ward.cloud.faults.kill(call=call, after=after)

    ward.watcher = arm
    with contextlib.suppress(DirectorKilled):
        ward.cluster.monitor(once=True)
    was = ward.cloud.faults.is_dead
    ward.cloud.faults.clear()
    ward.stop, ward.watcher = CancelToken(), None
    return was


@pytest.mark.parametrize(
    ("instance", "break_it", "after"),
    [
        ("worker/0", lambda ward: ward.machine("worker/0").kill(), False),
        ("etcd/1", lambda ward: ward.machine("etcd/1").lose_disk(), False),
        ("etcd/1", lambda ward: ward.machine("etcd/1").lose_disk(), True),
    ],
    ids=["worker replaced", "etcd made empty", "etcd made empty, killed after the call"],
)
def test_a_repair_that_is_cut_off_at_any_call_is_finished_by_the_next_director(
    admit: Callable[..., Ward], instance: str, break_it: Callable[[Ward], None], after: bool
) -> None:
    ward = admit(instance_groups=sized(etcd=3, master=1, worker=1, proxy=0))
    for call in range(1, ENOUGH):
        break_it(ward)
        was_killed = killed_at(ward, call, after=after)
        assert ward.heal() == (), f"call {call}"
        assert ward.cluster.plan().is_empty, f"call {call}"
        assert ward.has_no_orphans(), f"call {call}"
        if not was_killed:
            return
    pytest.fail(f"{instance} took more than {ENOUGH} calls")
