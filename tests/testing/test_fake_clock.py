"""The virtual clock."""

from __future__ import annotations

import threading

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.testing.fakes import VirtualClock


def test_a_day_of_sleep_passes_at_once_for_who_sleeps_alone() -> None:
    clock = VirtualClock()
    before = clock.now()
    clock.sleep(86400)
    assert clock.monotonic() == 86400
    assert (clock.now() - before).days == 1


def test_sleeps_of_several_threads_overlap() -> None:
    clock = VirtualClock()

    def nap() -> None:
        for _ in range(10):
            clock.sleep(1)

    asleep = [threading.Thread(target=nap) for _ in range(8)]
    with clock.working():
        for thread in asleep:
            thread.start()
        wait_until(lambda: clock.sleepers == 8 or None, what="eight sleepers", timeout=10)
    for thread in asleep:
        thread.join()
    assert clock.monotonic() < 8 * 10


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock, woken = VirtualClock(), []

    def nap(seconds: int) -> None:
        clock.sleep(seconds)
        woken.append(seconds)

    asleep = [threading.Thread(target=nap, args=(seconds,)) for seconds in (30, 10, 20)]
    with clock.working():
        for thread in asleep:
            thread.start()
        wait_until(lambda: clock.sleepers == 3 or None, what="three sleepers", timeout=10)
    for thread in asleep:
        thread.join()
    assert woken == [10, 20, 30]
    assert clock.monotonic() == 30


def test_no_time_passes_while_somebody_works() -> None:
    clock = VirtualClock()
    sleeper = threading.Thread(target=clock.sleep, args=(5,))
    with clock.working():
        sleeper.start()
        wait_until(lambda: clock.sleepers == 1 or None, what="a sleeper", timeout=10)
        assert clock.time == 0
    sleeper.join()
    assert clock.time == 5


def test_a_sleep_ends_when_its_event_is_set() -> None:
    clock, wake = VirtualClock(), threading.Event()
    wake.set()
    clock.sleep(60, wake)
    assert clock.monotonic() == 0


def test_a_daemon_thread_makes_no_time_pass_by_itself() -> None:
    clock, ended, beats = VirtualClock(), threading.Event(), []

    def beat() -> None:
        while not ended.is_set():
            clock.sleep(5, ended)
            beats.append(clock.time)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    wait_until(lambda: clock.sleepers == 1 or None, what="the heartbeat", timeout=10)
    assert clock.time == 0
    clock.sleep(21)
    ended.set()
    thread.join()
    assert beats[:4] == [5, 10, 15, 20]
    assert clock.time == 21
