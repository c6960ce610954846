"""Events as a stream: in order, to the end, from another thread."""

from __future__ import annotations

import threading

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.event_stream import EventStream
from kubo_sdk.events import OperationFinished, PlanMade
from kubo_sdk.model.instance import ClusterId

CLUSTER = ClusterId(director="d", name="c")


def test_the_stream_ends_with_the_operation() -> None:
    stream = EventStream()
    now = SystemClock().now()
    made = PlanMade(cluster=CLUSTER, at=now, operation="deploy", steps=3)
    finished = OperationFinished(cluster=CLUSTER, at=now, operation="deploy", seconds=1.0)

    def operate() -> None:
        stream(made)
        stream(finished)

    thread = threading.Thread(target=operate)
    thread.start()
    assert list(stream) == [made, finished]
    thread.join()


def test_a_closed_stream_ends() -> None:
    stream = EventStream()
    stream.close()
    assert list(stream) == []
