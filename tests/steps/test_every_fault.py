"""A fault at every call of every operation: run again, and all is as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from kubo_sdk.errors import KuboError, ProviderError
from kubo_sdk.testing.fakes import DirectorKilled, FakeCloud, Faults

from .fleet import Fleet, fleet

# More than any operation below makes on so small a cluster.
MOST_CALLS = 80

KINDS: tuple[Callable[[Faults, int], None], ...] = (
    lambda faults, call: faults.fail(call=call),
    lambda faults, call: faults.fail(call=call, error=ProviderError("the account is blocked; ask your provider")),
    lambda faults, call: faults.lose_answer(call=call),
    lambda faults, call: faults.kill(call=call),
    lambda faults, call: faults.kill(call=call, after=True),
)


def hit(there: Fleet, call: int, operation: str, *arguments: str, **options: bool) -> None:
    """Do the operation with a fault at that call, then again without, each time as a new process would."""
    faults = there.cloud.faults
    KINDS[call % len(KINDS)](faults, call)
    with suppress(DirectorKilled, KuboError):
        getattr(there.cluster, operation)(*arguments, **options)
    faults.clear()
    getattr(there.cluster, operation)(*arguments, **options)


@pytest.mark.parametrize("call", range(1, MOST_CALLS, 2))
def test_every_operation_converges(cloud: FakeCloud, tmp_path: Path, call: int) -> None:
    """Five kinds of fault take turns, and every second call is hit: over all calls each kind meets each operation."""
    there = fleet(tmp_path, cloud, etcd=1, master=1, worker=1, proxy=0)
    hit(there, call, "deploy")
    there.check_whole()
    there.resize(worker=2)
    hit(there, call, "deploy")
    there.check_whole()
    hit(there, call, "recreate", "worker/1")
    there.check_whole()
    hit(there, call, "restart", "worker/0")
    there.check_whole()
    there.resize(worker=1)
    hit(there, call, "deploy")
    there.check_whole()
    there.machine("worker/0").kill()
    hit(there, call, "heal", auto=True)
    there.check_whole()
    hit(there, call, "delete")
    assert not cloud.machines
    assert [str(step.verb) for step in there.cluster.plan_delete().steps] == ["dispose infrastructure"]
