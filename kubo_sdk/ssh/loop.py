"""EventLoop: one thread that carries every connection, however many machines and callers there are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar

from kubo_sdk.errors import Unavailable

if TYPE_CHECKING:
    from kubo_sdk.ssh.host import SshHost
    from kubo_sdk.ssh.pool import Pool

T = TypeVar("T")

_STOPPING_SECONDS = 5.0


class EventLoop:
    """An asyncio loop on a thread of its own, and the pool that lives on it.  Both begin with the first call."""

    def __init__(self, new_pool: Callable[[], Pool]) -> None:
        self._new_pool = new_pool
        self._lock = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, threading.Thread, Pool] | None = None

    def call(self, work: Callable[[Pool], Coroutine[Any, Any, T]]) -> T:
        """Have *work* done on the loop and return its result.  Interrupted, it is cancelled."""
        # Under the lock: what came before `stop` is seen out by it, and nothing is handed to a loop that has ended.
        with self._lock:
            loop, _, pool = self._begin()
            future = asyncio.run_coroutine_threadsafe(work(pool), loop)
        try:
            return future.result()
        except CancelledError:
            raise Unavailable("the SSH connections were closed before the command had ended; try again") from None
        except BaseException:
            future.cancel()
            raise

    def forget(self, host: SshHost) -> None:
        """Close the connection to *host*, soon."""
        with self._lock:
            if self._running is not None:
                loop, _, pool = self._running
                loop.call_soon_threadsafe(pool.forget, host)

    def stop(self) -> None:
        """Close every connection and end the thread."""
        with self._lock:
            running, self._running = self._running, None
        if running is None:
            return
        loop, thread, pool = running
        asyncio.run_coroutine_threadsafe(_end(pool), loop)
        if thread is not threading.current_thread():  # where the garbage collector may find us
            thread.join(_STOPPING_SECONDS)

    def _begin(self) -> tuple[asyncio.AbstractEventLoop, threading.Thread, Pool]:
        if self._running is None:
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_carry, args=(loop,), name="kubo-ssh", daemon=True)
            self._running = loop, thread, self._new_pool()
            thread.start()
        return self._running


def _carry(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _end(pool: Pool) -> None:
    """Close the pool and see everybody out: each caller gets an error, none waits for ever."""
    pool.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, late = await asyncio.wait(others, timeout=1.0)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)
    loop = asyncio.get_running_loop()
    await loop.shutdown_default_executor()
    loop.stop()
