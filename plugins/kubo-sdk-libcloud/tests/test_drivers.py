"""Each thread has a driver of its own: libcloud's keep their connection in themselves."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from kubo_sdk_libcloud.clouds.drivers import PerThread

THREADS = 20


def test_no_two_threads_ever_have_the_same_driver() -> None:
    gate = threading.Barrier(THREADS)
    made: list[int] = []

    def make() -> object:
        made.append(threading.get_ident())
        return object()

    drivers = PerThread(make)

    def take(_: int) -> tuple[object, object]:
        gate.wait()
        return drivers.get(), drivers.get()

    with ThreadPoolExecutor(THREADS) as pool:
        taken = list(pool.map(take, range(THREADS)))
    assert all(first is second for first, second in taken)
    assert len({id(first) for first, _ in taken}) == len(made) == THREADS
