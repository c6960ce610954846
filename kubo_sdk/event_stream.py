"""EventStream: the events of an operation as something to iterate over, while it runs in another thread."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue

from kubo_sdk.events import Event, OperationFinished


class EventStream:
    """Give it to a cluster as an observer, run the operation in a thread, and iterate.

    ::

        stream = EventStream()
        cluster = Cluster(spec, observers=[stream])
        threading.Thread(target=cluster.deploy).start()
        for event in stream:
            ...

    The iteration ends after `OperationFinished`.  An operation that is refused before it begins (a wrong option, a
    lease held by another process) tells no event: call `close` where its error is caught.
    """

    def __init__(self) -> None:
        self._events: SimpleQueue[Event | None] = SimpleQueue()

    def __call__(self, event: Event) -> None:
        self._events.put(event)

    def close(self) -> None:
        """End the iteration."""
        self._events.put(None)

    def __iter__(self) -> Iterator[Event]:
        while (event := self._events.get()) is not None:
            yield event
            if isinstance(event, OperationFinished):
                return
