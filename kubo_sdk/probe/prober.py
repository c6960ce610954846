"""Prober: asks everybody how the cluster is.  Kept from probe to probe, it keeps its connections and what it knows.

Its patience is real seconds whatever the clock says, because sockets and processes answer in real time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic
from types import TracebackType

from attrs import evolve

from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.engine.clock import Clock
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.probe.answers import Answers, MachineAnswer
from kubo_sdk.probe.asking import AskingThreads
from kubo_sdk.probe.beats import Beats
from kubo_sdk.probe.ground import Ground
from kubo_sdk.probe.interview import ONE_QUESTION, Interview
from kubo_sdk.probe.lines import Lines
from kubo_sdk.probe.report import make_report
from kubo_sdk.providers import Providers
from kubo_sdk.steps.access import ADMIN
from kubo_sdk.steps.endpoints import API

PATIENCE = 1.5
# Shares of the patience: for a provider that never answered yet, for one that did, for everything together.
FIRST_LOOK = 0.9
LATER_LOOK = 0.2
EVERYTHING = 1.2


def probe(spec: ClusterSpec, providers: Providers, clock: Clock, *, patience: float = PATIENCE) -> HealthReport:
    """How the cluster is now.  Changes nothing; see `Prober.probe`."""
    with Prober(spec, providers, clock, patience=patience) as prober:
        return prober.probe()


class Prober:
    """Asks again and again at little cost.  Close it, or use it in a ``with``.  One probe at a time.

    Going onto a machine costs most.  One that was found well is asked again *machines_every* seconds later, by the
    clock; until then its facts grow older.  What the CPI, etcd and the API say is asked anew by every probe.
    """

    def __init__(
        self,
        spec: ClusterSpec,
        providers: Providers,
        clock: Clock,
        *,
        patience: float = PATIENCE,
        machines_every: float = 0.0,
    ) -> None:
        self._spec = spec
        self._providers = providers
        self._clock = clock
        self._patience = patience
        self._machines_every = timedelta(seconds=machines_every)
        self._well: dict[str, MachineAnswer] = {}
        self._silent = False
        self._beats = Beats()
        self._threads = AskingThreads()
        self._ground = Ground(spec, providers, self._threads)
        self._lines = Lines(patience=patience * ONE_QUESTION)

    def probe(self) -> HealthReport:
        """How the cluster is now, after at most 1.2 times the patience, whoever is dead.

        A machine or a daemon that does not answer is a fact.  So is a CPI or a credential store that answered before:
        its facts grow older.  One that never did is an error: Unavailable, or what it raised itself.
        """
        ends = monotonic() + self._patience * EVERYTHING
        now = self._clock.now()
        self._ground.look(now, first=self._patience * FIRST_LOOK, later=self._patience * LATER_LOOK)
        interview = Interview(
            spec=self._spec,
            cpi=self._providers.cpi,
            ground=self._ground,
            threads=self._threads,
            lines=self._lines,
            well=self._still_well(now),
            trusted=self._well.keys(),
            beats=self._silent,
            now=now,
            ends=ends,
        )
        answers = interview.answers()
        self._beats.hear(answers.beats, now)
        answers = evolve(answers, mute=self._beats.mute(now))
        report = make_report(self._spec, self._ground, answers, now)
        self._remember(report, answers)
        self._threads.tidy()
        return report

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the API is, as the last probe found it."""
        return self._ground.endpoints.value.get(API)

    def api(self) -> KubernetesClient | None:
        """A client of its own for the API, as the last probe found it; None before."""
        endpoint, admin = self.endpoint, self._ground.keys.value.opened.get(ADMIN)
        if endpoint is None or admin is None or not isinstance(admin.value, Certificate):
            return None
        who = admin.value
        return KubernetesClient(
            HttpsClient(
                [(endpoint.host, endpoint.port)],
                ca=who.ca,
                certificate=who.certificate,
                private_key=who.private_key,
                timeout=self._patience,
            )
        )

    def close(self) -> None:
        """Close the connections and let the threads go."""
        self._threads.close()
        self._lines.close()

    def __enter__(self) -> Prober:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _still_well(self, now: datetime) -> dict[str, MachineAnswer]:
        return {vm: said for vm, said in self._well.items() if now - said.seen < self._machines_every}

    def _remember(self, report: HealthReport, answers: Answers) -> None:
        workers = (health for health in report.instances if health.instance.role is Role.WORKER)
        self._silent = any(worker.says(Source.SHELL, Verdict.BAD) for worker in workers)
        self._well = {
            health.vm.id: answers.machines[health.instance.id]
            for health in report.instances
            if health.vm is not None and health.is_healthy
        }
