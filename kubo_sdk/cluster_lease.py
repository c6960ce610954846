"""ClusterLease: of all directors on all hosts one works on a cluster, by the Lease object kube-system/kubo-director.

A holder is gone when the object did not change for its duration, by our own clock since we first saw it so; what
other hosts' clocks say decides nothing.  While the API is away nobody can ask it, and the file lock alone protects.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable

import attrs

from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.clients.leases import LeaseRecord, read_lease, write_lease
from kubo_sdk.engine.cancel import CancellableClock, CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Cancelled, Conflict, KuboError, LeaseHeld, NotFound, Unavailable
from kubo_sdk.events import Event, LeaseAwaited, LeaseLost
from kubo_sdk.model.instance import ClusterId

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
# A step starts only when the lease was asked for within this time: a process that slept must look first.
FRESH_SECONDS = 12.0
LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


def new_holder() -> str:
    """A name for one operation of this process, unlike any other."""
    return f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"


class ClusterLease:
    """The lease as one operation has it.  Thread-safe.

    *client* gives the API's client as things stand, or None while there is no way to it.  *gone* are holders that are
    known to have ended.  *stop* is cancelled when another director turns out to have the lease; ``lost`` says why.
    *tell* gets the events.
    """

    def __init__(
        self,
        *,
        cluster: ClusterId,
        operation: str,
        holder: str,
        gone: tuple[str, ...],
        client: Callable[[], KubernetesClient | None],
        clock: Clock,
        stop: CancelToken,
        tell: Callable[[Event], None],
    ) -> None:
        self.lost = ""
        self._cluster = cluster
        self._operation = operation
        self._holder = holder
        self._ours = {holder, *gone}
        self._client = client
        self._clock = clock
        self._stop = stop
        self._tell = tell
        self._lock = threading.Lock()
        self._was_ours = self._answers = False
        self._written: LeaseRecord | None = None
        self._seen: LeaseRecord | None = None
        self._seen_at = self._asked_at = self._held_at = clock.monotonic()

    @property
    def is_held(self) -> bool:
        """Whether the object in the cluster carries our name, as far as we know."""
        return self._written is not None

    def acquire(self) -> None:
        """Take the lease, or raise LeaseHeld.  Where the API does not answer, it stays to be taken later.

        Somebody else's is watched until it changes, which shows life, or has not changed for its duration.
        """
        with self._lock:
            client = self._client()
            if client is None or self.is_held:
                return
            try:
                if not self._take(client):
                    self._wait_for_it(client)
            except (LeaseHeld, Cancelled):
                raise
            except KuboError as error:
                log.debug("cluster %s: no lease yet: %s", self._cluster, error)
            finally:
                self._asked_at = self._clock.monotonic()

    def acquire_or_stop(self) -> None:
        """`acquire` in the middle of the work: another director's lease stops the operation."""
        try:
            self.acquire()
        except LeaseHeld as error:
            self._lose(str(error))
            self._tell_lost()

    def renew(self, older_than: float = 0.0) -> None:
        """Renew the lease, or take it if it is to be had, unless that was done within *older_than* seconds."""
        if self._is_fresh(older_than):
            return
        with self._lock:
            if self.lost or self._is_fresh(older_than):
                return
            reason = self._trouble()
            if reason:
                self._lose(reason)
        if reason:
            self._tell_lost()

    def release(self) -> None:
        """Let the next director in at once."""
        with self._lock:
            written = self._written
            client = self._client() if self._answers else None  # An end need not wait for an API that is away.
            if client is None or written is None or self.lost:
                return
            try:
                write_lease(client, attrs.evolve(written, holder="", renewed=self._clock.now(), seconds=1))
            except KuboError as error:
                log.debug("cluster %s: the lease is left to expire: %s", self._cluster, error)
            self._written = None

    def _trouble(self) -> str:
        """Ask once; what is told is why the lease is lost."""
        self._answers = False
        try:
            client = self._client()
            if client is not None:
                self._take(client)
        except LeaseHeld as error:
            return str(error)
        except Unavailable as error:
            # Perhaps the API is what this operation repairs.  While it is away nobody else can take the lease either.
            self._held_at = self._clock.monotonic()
            log.debug("cluster %s: the lease waits for the API: %s", self._cluster, error)
        except KuboError as error:
            # The API answers and does not let us renew: after the lease's duration anybody else may have it.
            if self._was_ours and self._clock.monotonic() - self._held_at >= LEASE_SECONDS:
                return f"the lease of cluster {self._cluster} could not be renewed for {LEASE_SECONDS:g} s: {error}"
        finally:
            # Not before: a step that starts meanwhile must wait for what is told.
            self._asked_at = self._clock.monotonic()
        return ""

    def _is_fresh(self, older_than: float) -> bool:
        return self._clock.monotonic() - self._asked_at < older_than

    def _take(self, client: KubernetesClient) -> bool:
        """Whether it is ours now; False while another's may be alive or dead.  LeaseHeld when it is alive."""
        if self._written is not None:
            try:
                return self._write(client, self._written)
            except (Conflict, NotFound):
                self._written = None  # Perhaps our own write whose answer was lost; the object tells.
        record = read_lease(client)
        try:
            return self._is_free(record) and self._write(client, record)
        except Conflict:
            return False  # Somebody wrote between the two; the object tells who, next time.

    def _write(self, client: KubernetesClient, record: LeaseRecord | None) -> bool:
        self._written = write_lease(client, self._next(record))
        self._was_ours, self._answers, self._seen, self._held_at = True, True, None, self._clock.monotonic()
        return True

    def _is_free(self, record: LeaseRecord | None) -> bool:
        if record is None or record.holder in self._ours:
            return True
        if self._was_ours and not record.holder:
            raise LeaseHeld(f"another director worked on cluster {self._cluster} meanwhile; run the same command again")
        if not record.holder:
            return True
        if self._was_ours or (self._seen is not None and record.version != self._seen.version):
            raise LeaseHeld(self._held_by(record))
        if self._seen is None:
            self._seen, self._seen_at = record, self._clock.monotonic()
        return self._clock.monotonic() - self._seen_at >= record.seconds

    def _next(self, record: LeaseRecord | None) -> LeaseRecord:
        """What to write over *record*: the same holder renews, another one begins."""
        now = self._clock.now()
        ours = record is not None and record.holder == self._holder
        return LeaseRecord(
            holder=self._holder,
            operation=self._operation,
            seconds=LEASE_SECONDS,
            acquired=record.acquired if record is not None and ours else now,
            renewed=now,
            transitions=0 if record is None else record.transitions + (not ours),
            version="" if record is None else record.version,
        )

    def _wait_for_it(self, client: KubernetesClient) -> None:
        seconds, holder = (self._seen.seconds, self._seen.holder) if self._seen else (LEASE_SECONDS, "")
        self._tell(LeaseAwaited(cluster=self._cluster, at=self._clock.now(), holder=_who(holder), seconds=seconds))
        patience = seconds + 2 * LOOK_SECONDS
        clock = CancellableClock(self._clock, self._stop)
        try:
            wait_until(
                lambda: self._take(client) or None, what="", timeout=patience, interval=LOOK_SECONDS, clock=clock
            )
        except Unavailable:
            raise LeaseHeld(self._held_by(self._seen)) from None

    def _lose(self, reason: str) -> None:
        self.lost = reason
        self._stop.cancel("another director has the lease")

    def _tell_lost(self) -> None:
        self._tell(LeaseLost(cluster=self._cluster, at=self._clock.now(), reason=self.lost))

    def _held_by(self, record: LeaseRecord | None) -> str:
        if record is None:
            return f"cluster {self._cluster} is being worked on by another director; wait for it to end, or stop it"
        what = f"{record.operation or 'unknown'}, for {record.age:.0f} s"
        return (
            f"cluster {self._cluster} is being worked on by {_who(record.holder)} ({what}); "
            "wait for it to end, or stop it"
        )


def _who(holder: str) -> str:
    """The holder's name for people, where it is one that `new_holder` makes.  Empty: it was not seen yet."""
    if not holder:
        return "another director"
    parts = holder.rsplit("_", 2)
    return f"process {parts[1]} on {parts[0]}" if len(parts) == 3 else repr(holder)
