"""Operation: one deploy or delete from lease to end.  Holds the leases, keeps the journal, tells the observers."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from attrs import define, field

from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.cluster_lease import FRESH_SECONDS, RENEW_SECONDS, ClusterLease, new_holder
from kubo_sdk.engine.cancel import CancellableClock, CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.heartbeat import Heartbeat
from kubo_sdk.engine.journal import Journal
from kubo_sdk.engine.lease import file_lease
from kubo_sdk.engine.runner import Runner
from kubo_sdk.errors import Cancelled, HostError, KuboError, LeaseHeld
from kubo_sdk.events import Event, Observer, OperationFinished, PlanMade, StepProgress
from kubo_sdk.kept_spec import keep_spec
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.task import Result
from kubo_sdk.observe import find_machines
from kubo_sdk.planning.plan import Plan, Step, Verb
from kubo_sdk.private_files import make_private_directory
from kubo_sdk.providers import Providers
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.steps.access import ADMIN, any_server_client
from kubo_sdk.steps.context import RunState, StepContext
from kubo_sdk.steps.perform import perform

LEASE = "lease"
JOURNAL = "journal.db"
# One takes the cluster away, the other one changes nothing that a spec says.
KEEPS_NO_SPEC = ("delete", "heal")
# After these the API answers, and after the second it grants the administrator's rights.
API_CAME_UP = frozenset({Verb.AWAIT_API, Verb.BOOTSTRAP_CLUSTER})

log = logging.getLogger(__name__)


@define(kw_only=True)
class Operation:
    """Everything a run needs, gathered once.  ``place`` is the SDK's directory of this cluster.

    ``stop`` ends this operation alone; it is set with ``cancel``, and when another director has the cluster's lease.
    """

    name: str
    spec: ClusterSpec
    providers: Providers
    releases: ReleaseSource
    place: Path
    clock: Clock
    cancel: CancelToken
    observers: Sequence[Observer]
    stop: CancelToken = field(init=False, repr=False)
    _journal: Journal | None = field(default=None, init=False, repr=False)
    _wished: ClusterSpec | None = field(default=None, init=False, repr=False)
    _lease: ClusterLease | None = field(default=None, init=False, repr=False)
    _states: list[RunState] = field(factory=list, init=False, repr=False)

    @stop.default
    def _own_token(self) -> CancelToken:
        return self.cancel.child()

    @contextlib.contextmanager
    def leased(self) -> Iterator[None]:
        """Hold the cluster's leases and keep its journal while the block runs.

        LeaseHeld when another process or another director works on the cluster, also when it begins to meanwhile.
        """
        try:
            make_private_directory(self.place)
        except OSError as error:
            raise HostError(f"{self.place} cannot be made: {error.strerror}; choose another state directory") from None
        holder = new_holder()
        with (
            file_lease(self.place / LEASE, self.spec.id, self.name, self.clock, name=holder) as gone,
            self._cluster_lease(holder, gone),
            self._recorded(),
        ):
            yield

    def run(self, plan: Plan, state: RunState) -> None:
        """Run *plan*; raises DeployFailed or Cancelled."""
        self._states.insert(0, state)
        if self._journal is not None:
            self._journal.planned(plan, self.clock.now())
        self.emit(PlanMade(cluster=self.spec.id, at=self.clock.now(), operation=plan.operation, steps=len(plan.steps)))
        halt = self.stop.child()
        runner = Runner(
            perform=partial(self._perform, state, halt),
            emit=self.emit,
            clock=self.clock,
            cancel=self.stop,
            halt=halt,
        )
        with self._kept_spec(state):
            runner.run(plan)

    @contextlib.contextmanager
    def working_on(self, spec: ClusterSpec) -> Iterator[None]:
        """Work on *spec* while the block runs; the one that is kept stays what was wished for."""
        self._wished, self.spec = self.spec, spec
        try:
            yield
        finally:
            self._wished, self.spec = None, self._wished or spec

    @contextlib.contextmanager
    def _kept_spec(self, state: RunState) -> Iterator[None]:
        """Keep the spec before anything changes; that of a new cluster once it is there."""
        keeps, is_new = self.name not in KEEPS_NO_SPEC, not state.credentials
        if keeps and not is_new:
            keep_spec(self.providers.credential_store, self._wished or self.spec)
        yield
        if keeps and is_new:
            keep_spec(self.providers.credential_store, self._wished or self.spec)

    @contextlib.contextmanager
    def _cluster_lease(self, holder: str, gone: tuple[str, ...]) -> Iterator[None]:
        """Hold the lease inside the cluster, from now on or as soon as its API answers."""
        lease = ClusterLease(
            cluster=self.spec.id,
            operation=self.name,
            holder=holder,
            gone=gone,
            client=self._api,
            clock=self.clock,
            stop=self.stop,
            tell=self.emit,
        )
        with contextlib.suppress(KuboError):  # What is wrong, the operation itself will say.
            self._states.append(self._found())
        lease.acquire()
        self._lease = lease
        try:
            with Heartbeat(lease.renew, RENEW_SECONDS, "kubo-lease"):
                yield
        finally:
            self._lease = None
            if self.name != "delete":  # There the lease goes with the cluster, or comes back with its disks.
                lease.release()

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[None]:
        """Keep the journal, and tell the end."""
        self._journal = journal = Journal(self.place / JOURNAL)
        started = self.clock.monotonic()
        journal.begin(self.name, self.clock.now())
        result, told = Result.FAILED, ""
        try:
            yield
            result = Result.DONE
        except Cancelled as error:
            if self._lease is not None and self._lease.lost:
                told = f"stopped between two steps: {self._lease.lost}"
                raise LeaseHeld(told) from None
            result, told = Result.CANCELLED, str(error)
            raise
        except BaseException as error:
            told = str(error) or type(error).__name__
            raise
        finally:
            self._finished(started, told)
            self._journal = None
            journal.end(str(result), told, self.clock.now())

    def _found(self) -> RunState:
        """The machines, and the administrator's certificate: what one needs to ask the API."""
        state = find_machines(self.spec, self.providers)
        state.credentials[ADMIN] = self.providers.credential_store.get(self.spec.id.credential(ADMIN))
        return state

    def _api(self) -> KubernetesClient | None:
        """The API as the steps left it, or as it was found before them; None where there is no way to it."""
        for state in self._states:
            with contextlib.suppress(KuboError):
                return any_server_client(self.spec, state)
        return None

    def _perform(self, state: RunState, halt: CancelToken, step: Step) -> None:
        lease = self._lease
        if lease is not None:
            lease.renew(older_than=FRESH_SECONDS)
            self.stop.check()
        perform(self._context(state, halt, step), step)
        if lease is not None and step.verb in API_CAME_UP:
            lease.acquire_or_stop()

    def forget(self) -> None:
        """Remove the journal and the lease, and the directories above that held nothing else."""
        shutil.rmtree(self.place, ignore_errors=True)
        clusters = self.place.parent.parent
        with contextlib.suppress(OSError):
            for place in (self.place.parent, clusters, clusters.parent):
                place.rmdir()

    def emit(self, event: Event) -> None:
        """Tell the journal and every observer.  What an observer raises is logged and changes nothing."""
        journal = self._journal
        observers: list[Callable[[Event], None]] = [*([journal] if journal else []), *self.observers]
        for observer in observers:
            try:
                observer(event)
            except Exception:
                log.exception("observer %r failed on %s of cluster %s", observer, type(event).__name__, self.spec.id)

    def say(self, message: str) -> None:
        """Tell the observers what is done before there is a plan."""
        now = self.clock.now()
        self.emit(StepProgress(cluster=self.spec.id, at=now, step=self.name, title=self.name, message=message))

    def _context(self, state: RunState, halt: CancelToken, step: Step) -> StepContext:
        def say(message: str) -> None:
            self.emit(
                StepProgress(
                    cluster=self.spec.id,
                    at=self.clock.now(),
                    step=step.id,
                    title=step.title,
                    message=message,
                    instance=step.instance,
                )
            )

        return StepContext(
            spec=self.spec,
            providers=self.providers,
            releases=self.releases,
            state=state,
            clock=CancellableClock(self.clock, halt),
            say=say,
        )

    def _finished(self, started: float, error: str) -> None:
        self.emit(
            OperationFinished(
                cluster=self.spec.id,
                at=self.clock.now(),
                operation=self.name,
                seconds=self.clock.monotonic() - started,
                error=error,
            )
        )
