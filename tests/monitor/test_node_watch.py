"""The monitor hears of Nodes at once: it is woken by the API, which may come and go, and no thread is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import attrs
import pytest

from kubo_sdk import CancelToken
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.model.spec import HealthSpec
from kubo_sdk.monitor import Monitor
from kubo_sdk.monitor.node_watch import NodeWatch
from kubo_sdk.planning.health import HealthReport
from kubo_sdk.probe import Prober
from kubo_sdk.testing.fakes import sized

from .ward import Ward

REAL = 20.0


@pytest.fixture
def watched(admit: Callable[..., Ward]) -> Iterator[Ward]:
    ward = admit(instance_groups=sized(etcd=1, master=1, worker=2, proxy=0))
    yield ward
    assert not [thread for thread in threading.enumerate() if thread.name == "kubo-node-watch"]


def prober(ward: Ward) -> Prober:
    asking = Prober(ward.spec, ward.cluster.providers, ward.cloud.clock)
    asking.probe()
    return asking


class Bell:
    """Rings when the watch wakes somebody, and counts how often it asked for a way to the API."""

    def __init__(self, asking: Prober) -> None:
        self.rung = threading.Event()
        self.asked = threading.Semaphore(0)
        self.asks = 0
        self._asking = asking

    def client(self) -> KubernetesClient | None:
        self.asks += 1
        self.asked.release()
        return self._asking.api()

    def watch(self) -> NodeWatch:
        return NodeWatch(self.client, self.rung.set, pause=0.05)


def knows_both(watch: NodeWatch) -> None:
    """What happens before it knows the Nodes is no change."""
    wait_until(lambda: len(watch.nodes) == 2 or None, what="the Nodes being heard of", timeout=REAL)


def test_a_node_that_is_not_ready_any_more_wakes_at_once_and_no_time_passes(watched: Ward) -> None:
    with prober(watched) as asking:
        bell, began = Bell(asking), watched.cloud.clock.time
        with bell.watch() as watch:
            knows_both(watch)
            watched.machine("worker/0").stop_unit("containerd")
            assert bell.rung.wait(REAL)
        assert watched.cloud.clock.time == began


def test_a_node_that_is_deleted_wakes(watched: Ward) -> None:
    with prober(watched) as asking:
        bell = Bell(asking)
        with bell.watch() as watch:
            knows_both(watch)
            watched.delete_node("worker/1")
            assert bell.rung.wait(REAL)


def test_it_watches_again_after_the_api_went_away(watched: Ward) -> None:
    with prober(watched) as asking:
        bell = Bell(asking)
        with bell.watch() as watch:
            knows_both(watch)
            watched.machine("master/0").stop_unit("kube-apiserver")
            for _ in range(3):  # The first, and two that found nobody.
                assert bell.asked.acquire(timeout=REAL)
            assert watched.heal() == ()
            bell.rung.clear()
            watched.machine("worker/0").stop_unit("containerd")
            assert bell.rung.wait(REAL)


def test_without_an_api_it_asks_seldom_and_ends_at_once() -> None:
    asked, began = [], time.monotonic()
    third = threading.Event()

    def nothing() -> None:
        asked.append(time.monotonic())
        if len(asked) == 3:
            third.set()

    with NodeWatch(nothing, pytest.fail, pause=0.2):
        assert third.wait(REAL)
    assert asked[2] - began >= 0.4


def test_who_is_woken_looks_at_once(watched: Ward) -> None:
    """Its own turn would come after an hour."""
    slow = attrs.evolve(watched.spec, health=HealthSpec(probe_seconds=3600.0))
    looked = threading.Semaphore(0)

    with prober(watched) as asking:

        def look() -> HealthReport:
            looked.release()
            return asking.probe()

        def repair(*_: object) -> None:
            pytest.fail("nothing is wrong")

        monitor = Monitor(spec=slow, look=look, repair=repair, emit=watched.observe, clock=SystemClock())
        stop = CancelToken()
        loop = threading.Thread(target=monitor.run, args=[stop], name="monitor", daemon=True)
        loop.start()
        assert looked.acquire(timeout=REAL)
        while not looked.acquire(timeout=0.1):  # It may not be asleep yet.
            monitor.wake()
        stop.cancel("enough")
        loop.join(REAL)
        assert not loop.is_alive()
