"""Watching: puts the monitor together for one cluster: whom it asks and how often."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.events import Event
from kubo_sdk.healing import Healer
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.monitor.loop import Monitor
from kubo_sdk.monitor.node_watch import NodeWatch
from kubo_sdk.probe import Prober

# Going onto a machine is what costs.  One that is well is entered at every second probe, and no more than so many a
# second are entered at all.
EVERY_PROBES = 2
MACHINES_PER_SECOND = 50


def watch(
    healer: Healer,
    emit: Callable[[Event], None],
    stop: CancelToken,
    *,
    once: bool = False,
    unfinished: bool = False,
) -> None:
    """Watch and repair until *stop* is set, or with *once* until nothing is due.

    *unfinished*: a repair before this one may have been cut off, and what it left half done is finished first.
    """
    every = machines_every(healer.spec)
    with Prober(healer.spec, healer.providers, healer.clock, machines_every=every) as prober:
        monitor = Monitor(
            spec=healer.spec,
            look=prober.probe,
            repair=healer.repair,
            emit=emit,
            clock=healer.clock,
            unfinished=unfinished,
        )
        # Who looks only until all is well needs nobody to wake it.
        with contextlib.nullcontext() if once else NodeWatch(prober.api, monitor.wake):
            monitor.run(stop, once=once)


def machines_every(spec: ClusterSpec) -> float:
    """How many seconds a machine that is well is left alone."""
    return max(EVERY_PROBES * spec.health.probe_seconds, len(spec.instances()) / MACHINES_PER_SECOND)
