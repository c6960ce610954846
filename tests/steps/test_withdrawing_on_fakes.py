"""A balancer outside the cluster is told before a machine goes: by itself it may take long to notice."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from kubo_sdk.events import Event, StepStarted
from kubo_sdk.model.spec import VmSize
from kubo_sdk.planning.plan import Verb
from kubo_sdk.testing.fakes import FakeCloud

from .fleet import Fleet, fleet


class BalancedAt(list[Event]):
    """The events of a fleet; ``seen``: how many machines each of its balancers had when a machine was deleted."""

    def __init__(self, there: Fleet) -> None:
        super().__init__()
        self._there = there
        self.seen: list[tuple[str, int]] = []

    def append(self, event: Event) -> None:
        super().append(event)
        if isinstance(event, StepStarted) and event.step.startswith(Verb.DELETE_VM):
            balancers = self._there.cloud.site(self._there.spec.id).balancers
            self.seen += [(name, len(balancers[name].balance.backends)) for name in sorted(balancers)]


@pytest.mark.parametrize(
    ("group", "seen"), [("master", [("api", 1), ("services", 2)]), ("worker", [("api", 2), ("services", 1)])]
)
def test_nobody_is_sent_to_a_machine_that_is_about_to_be_replaced(
    cloud: FakeCloud, tmp_path: Path, group: str, seen: list[tuple[str, int]]
) -> None:
    there = fleet(tmp_path, cloud, etcd=1, master=2, worker=2, proxy=1)
    there.cluster.deploy()
    there.events = BalancedAt(there)
    larger = VmSize(memory_mb=8192)
    groups = (attrs.evolve(each, vm=larger) if each.name == group else each for each in there.groups)
    there.spec = attrs.evolve(there.spec, instance_groups=tuple(groups))
    there.cluster.deploy()
    assert there.events.seen == seen * 2
    balancers = cloud.site(there.spec.id).balancers
    assert {name: len(balancer.balance.backends) for name, balancer in balancers.items()} == {"api": 2, "services": 2}
    there.check_whole()


def test_a_balancer_that_was_told_before_the_director_died_is_put_right_by_the_next_one(
    cloud: FakeCloud, tmp_path: Path
) -> None:
    there = fleet(tmp_path, cloud, etcd=1, master=2, worker=2, proxy=1)
    there.cluster.deploy()
    balancers = cloud.site(there.spec.id).balancers
    held = balancers["api"]
    held.members = frozenset(sorted(held.members)[:1])
    held.balance.backends = held.balance.backends[:1]
    there.cluster.deploy()
    assert str(Verb.ENSURE_ENDPOINTS) in there.done()
    assert len(held.balance.backends) == 2
    there.check_whole()
