"""Accounts: whose CPU time it was, the SDK's or the fakes', and how much work was done, while both share a process.

The fakes' share is all of their own threads (the HTTPS servers), their part of each port call in the SDK's threads, and
the virtual clock.  What the credential store generates counts as the SDK's: every store makes keys and signs.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from attrs import field, frozen

from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.steps import configure
from kubo_sdk.testing.fakes import FakeCloud, Faults, VirtualClock

R = TypeVar("R")

FAKE_THREAD = "kubo-fake"
ISSUING = ("store.generate", "store.generate_many")
# A director renews its lease by the real clock.
LEASES = "/leases"


@frozen(kw_only=True)
class Spent:
    """What one phase cost.  CPU in seconds: ``fake`` by who spent it, ``issuing`` for keys and certificates (part of
    ``sdk``).  ``calls``: port calls by name; ``manifests``: machines rendered; ``writes``: requests that change
    something in the cluster, without leases.
    """

    wall: float
    cpu: float
    fake: dict[str, float] = field(factory=dict)
    issuing: float = 0.0
    calls: dict[str, int] = field(factory=dict)
    manifests: int = 0
    writes: int = 0

    @property
    def sdk(self) -> float:
        return self.cpu - sum(self.fake.values())

    def to_dict(self) -> dict[str, Any]:
        return {
            "wall_seconds": round(self.wall, 3),
            "cpu_seconds": round(self.cpu, 3),
            "sdk_cpu_seconds": round(self.sdk, 3),
            "issuing_cpu_seconds": round(self.issuing, 3),
            "fake_cpu_seconds": {who: round(seconds, 3) for who, seconds in sorted(self.fake.items())},
            "work": {
                "port_calls": dict(sorted(self.calls.items())),
                "manifests": self.manifests,
                "writes": self.writes,
            },
        }


class MeteredClock(VirtualClock):
    """Counts the CPU time of being asleep, which costs none in production."""

    def __init__(self) -> None:
        super().__init__()
        self.spent: dict[str, float] = defaultdict(float)

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        began = time.thread_time()
        super().sleep(seconds, wake)
        self.spent["clock"] += time.thread_time() - began


class MeteredFaults(Faults):
    """Counts the CPU time of every port call, by its name."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.spent: dict[str, float] = defaultdict(float)

    def around(self, method: str, about: str, work: Callable[[], R]) -> R:
        began = time.thread_time()
        try:
            return super().around(method, about, work)
        finally:
            self.spent[method] += time.thread_time() - began


class Accounts:
    """The accounts of one process, which must have no other cloud.  `install` before any thread of the fakes runs."""

    def __init__(self) -> None:
        self.clock = MeteredClock()
        self.faults = MeteredFaults(self.clock)
        self._ended = 0.0
        self._manifests = self._writes = 0

    def install(self, cloud: FakeCloud) -> None:
        """Count what *cloud* does from now on."""
        cloud.faults = cloud.store.faults = self.faults
        self._count_threads()
        self._count_work()

    @contextmanager
    def phase(self) -> Iterator[Callable[[], Spent]]:
        """What the block costs, once it has ended."""
        wall, cpu, before = time.perf_counter(), time.process_time(), self._so_far()
        after: list[Spent] = []
        yield lambda: after[0]
        now = self._so_far()
        fake = {who: now.fake[who] - before.fake.get(who, 0.0) for who in now.fake}
        after.append(
            Spent(
                wall=time.perf_counter() - wall,
                cpu=time.process_time() - cpu,
                fake={who: seconds for who, seconds in fake.items() if seconds >= 0.0005},
                issuing=now.issuing - before.issuing,
                calls=dict(Counter(now.calls) - Counter(before.calls)),
                manifests=now.manifests - before.manifests,
                writes=now.writes - before.writes,
            )
        )

    def _so_far(self) -> Spent:
        fake: dict[str, float] = defaultdict(float, servers=self._servers())
        for method, seconds in (*tuple(self.faults.spent.items()), *tuple(self.clock.spent.items())):
            if method not in ISSUING:
                fake[method.partition(".")[0]] += seconds
        return Spent(
            wall=0.0,
            cpu=0.0,
            fake=dict(fake),
            issuing=sum(self.faults.spent[method] for method in ISSUING),
            calls=dict(self.faults.counts),
            manifests=self._manifests,
            writes=self._writes,
        )

    def _servers(self) -> float:
        """CPU seconds of the fakes' threads, those that ended and those that run."""
        live = [thread for thread in threading.enumerate() if thread.name.startswith(FAKE_THREAD)]
        return self._ended + sum(_cpu_of(thread) for thread in live)

    def _count_threads(self) -> None:
        run = threading.Thread.run

        def counted(thread: threading.Thread) -> None:
            run(thread)
            if thread.name.startswith(FAKE_THREAD):
                self._ended += time.thread_time()

        threading.Thread.run = counted  # type: ignore[method-assign, assignment]

    def _count_work(self) -> None:
        render_one, request = configure.render, HttpsClient.request  # type: ignore[attr-defined]

        def counted_render(*arguments: Any) -> Any:
            self._manifests += 1
            return render_one(*arguments)

        def counted_request(client: HttpsClient, method: str, path: str, *arguments: Any, **more: Any) -> Any:
            self._writes += method not in ("GET", "HEAD") and path.startswith("/api") and LEASES not in path
            return request(client, method, path, *arguments, **more)

        configure.render = counted_render  # type: ignore[attr-defined, assignment]
        HttpsClient.request = counted_request  # type: ignore[method-assign, assignment]


def _cpu_of(thread: threading.Thread) -> float:
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))
    except OSError:
        return 0.0  # It ended meanwhile.
