"""SshConnections: the way onto machines that a CPI keeps, one for all of its machines."""

from __future__ import annotations

import os
import weakref
from functools import partial

from kubo_sdk.errors import HostError
from kubo_sdk.ports.shell import Shell
from kubo_sdk.ssh.host import SshHost
from kubo_sdk.ssh.loop import EventLoop
from kubo_sdk.ssh.shell import SshShell


class SshConnections:
    """One open connection for each machine, at most *max_open* at once.  Thread-safe; a forked child opens its own.

    *connect_timeout* bounds reaching a machine and logging in, in seconds.  All connections live on one thread, which
    begins with the first command and ends with `close`, or with this object.
    """

    def __init__(self, *, connect_timeout: float = 10.0, max_open: int = 512) -> None:
        self._connect_timeout = connect_timeout
        self._max_open = max_open
        # By process, for a child has no thread of its parent's and must not speak on its sockets.
        self._loops: dict[int, EventLoop] = {}
        weakref.finalize(self, _stop, self._loops)

    def shell(self, host: SshHost) -> Shell:
        """The way onto *host*; nothing is opened before the first command."""
        return SshShell(self, host)

    def forget(self, host: SshHost) -> None:
        """The machine is gone: its connection is closed, and what still runs over it raises Unavailable."""
        loop = self._loops.get(os.getpid())
        if loop is not None:
            loop.forget(host)

    def close(self) -> None:
        """Close every connection and end the thread.  It may be used again afterwards."""
        _stop(self._loops)

    def loop(self) -> EventLoop:
        """The thread of this process; HostError without asyncssh."""
        loop = self._loops.get(os.getpid())
        if loop is not None:
            return loop
        try:
            from kubo_sdk.ssh.pool import Pool  # noqa: PLC0415 - brings asyncssh
        except ImportError as error:
            raise HostError("reaching machines over SSH needs asyncssh; run: pip install 'kubo-sdk[ssh]'") from error
        # The loop does not hold this object, which ends it by being forgotten.
        new_pool = partial(Pool, connect_timeout=self._connect_timeout, max_open=self._max_open)
        return self._loops.setdefault(os.getpid(), EventLoop(new_pool))


def _stop(loops: dict[int, EventLoop]) -> None:
    loop = loops.pop(os.getpid(), None)
    if loop is not None:
        loop.stop()
