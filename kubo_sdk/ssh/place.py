"""Place: what is kept for one machine: its connection, whoever opens it, and how many use it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable

from kubo_sdk.errors import KuboError, Unavailable
from kubo_sdk.ssh.link import Link


class Place:
    """Lives on the loop.  Callers that come while the connection is opened share that attempt and its error."""

    def __init__(self, open_link: Callable[[], Awaitable[Link]]) -> None:
        self.users = 0
        self._open_link = open_link
        self._link: Link | None = None
        self._attempt: asyncio.Task[Link] | None = None
        self._is_given_up = False

    async def link(self) -> Link:
        """The open connection, which is opened when there is none."""
        if self._link is not None and self._link.is_open:
            return self._link
        if self._attempt is None:
            self._attempt = asyncio.ensure_future(self._opened())
            self._attempt.add_done_callback(self._attempted)
        try:
            return await asyncio.shield(self._attempt)
        except KuboError as error:
            # Each thread raises an error of its own, for raising one writes to it.
            raise copy.copy(error) from error.__cause__

    def close(self) -> None:
        """Close the connection for good, also one that is just being opened."""
        self._is_given_up = True
        if self._attempt is not None:
            self._attempt.cancel()
        if self._link is not None:
            self._link.close()

    async def _opened(self) -> Link:
        try:
            return await self._open_link()
        except asyncio.CancelledError:
            raise Unavailable("the SSH connection was closed while it was opened; try again") from None

    def _attempted(self, attempt: asyncio.Task[Link]) -> None:
        self._attempt = None
        if not attempt.cancelled() and attempt.exception() is None:
            self._link = attempt.result()
            if self._is_given_up:
                self._link.close()
