"""Rolling: a real cluster under steady requests while it is changed, phase by phase, and what each phase cost.

A phase is a function that changes the cluster through the CLI and returns when that has ended.  To add one, write a
function that takes a `Rolling` and enter it in `PHASES` of `benchmarks/upgrade`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import yaml
from watchers import Pacer, Writer, reader

from kubo_sdk import Cluster
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable
from kubo_sdk.observe import find_machines
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.steps.endpoints import API, SERVICES

WORKLOAD = Path(__file__).resolve().parent / "rolling.json"
NODE_PORT = 30081
SETTLE_SECONDS = 60
REREAD_SECONDS = 1.0
# Steps that take something away from somebody.  Where machines are replaced, the others are only told of it.
REPLACING = ("quiesce", "delete vm")
DISTURBING = ("configure", *REPLACING)

Event = dict[str, Any]


class Rolling:
    """Holds one cluster that is up.  Use it in a ``with``: API and workload are asked every 100 ms."""

    def __init__(self, spec: Path, state: Path, cache: Path, patience: float) -> None:
        """*patience*: how many seconds an answer may take."""
        self._spec, self._patience = spec, patience
        self.files = ["--file", str(spec), "--state", str(state), "--cache", str(cache)]
        self._open = lambda: Cluster.load(spec, state_dir=state, cache_dir=cache)
        cluster = self._open()
        endpoints = find_machines(cluster.spec, cluster.providers).endpoints
        admin = _Admin(cluster)
        self._host = endpoints[SERVICES].host
        self.reads = reader(endpoints[API], admin, patience)
        self.writes = Writer(endpoints[API], admin, "rolling", patience)
        self.workload = Pacer(lambda _number: self._ask_workload())

    def __enter__(self) -> Rolling:
        self.kubo("kubectl", "--", "apply", "-f", str(WORKLOAD))
        wait_until(self._is_serving, what="the workload answering", timeout=SETTLE_SECONDS)
        for watcher in (self.reads, self.writes, self.workload):
            watcher.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for watcher in (self.reads, self.writes, self.workload):
            watcher.__exit__()

    def _is_serving(self) -> bool:
        self._ask_workload()
        return True

    def _ask_workload(self) -> None:
        try:
            with urllib.request.urlopen(f"http://{self._host}:{NODE_PORT}/", timeout=self._patience) as reply:
                reply.read()
        except (OSError, urllib.error.HTTPError) as error:
            raise Unavailable(f"the workload: {error}") from None

    # -- how a phase changes the cluster

    def kubo(self, command: str, *arguments: str) -> str:
        """Run one command of the CLI to its end."""
        files = [] if "--" in arguments else self.files
        passed = arguments if files else (*self.files, *arguments)
        done = subprocess.run(
            [sys.executable, "-m", "kubo_sdk", command, *files, *passed], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Unavailable(f"kubo {command} failed: {done.stderr[-2000:]}")
        return done.stdout

    def change(self, edit: Callable[[dict[str, Any]], object]) -> list[Event]:
        """Edit the spec and bring the cluster up to it.  Returns what happened."""
        document = yaml.safe_load(self._spec.read_text())
        edit(document)
        self._spec.write_text(json.dumps(document))
        return self.events("up")

    def events(self, command: str, *arguments: str) -> list[Event]:
        """Run one command and return the events it told."""
        lines = self.kubo(command, "--json", *arguments).splitlines()
        return [told for told in map(json.loads, lines) if "event" in told]

    # -- what is measured

    def run(self, name: str, phase: Callable[[Rolling], list[Event]]) -> dict[str, Any]:
        """One phase: how many requests were answered while it ran, and how long each machine took."""
        began = datetime.now(UTC)
        events = phase(self)
        ended = datetime.now(UTC)
        wait_until(self._is_whole, what="the cluster being as wished for and healthy", timeout=SETTLE_SECONDS)
        return {
            "phase": name,
            "seconds": round((ended - began).total_seconds(), 1),
            "machines": seconds_of(events),
            "steps": steps_of(events, began),
            "reads": self.reads.since(began),
            "writes": {**self.writes.since(began), "lost": len(self.writes.lost())},
            "workload": self.workload.since(began),
        }

    def _is_whole(self) -> bool:
        cluster = self._open()
        plan, status = cluster.plan(), cluster.status()
        if not plan.is_empty or not status.healthy:
            raise Unavailable(f"{plan}; {status.verdict}")
        return True


class _Admin:
    """The administrator's certificate, at most a second old: long enough before the one before is trusted no more."""

    def __init__(self, cluster: Cluster) -> None:
        self._store = cluster.providers.credential_store
        self._name = cluster.spec.id.credential("admin")
        self._found = self._read()
        self._at = time.monotonic()

    def __call__(self) -> Certificate:
        if time.monotonic() - self._at > REREAD_SECONDS:
            self._found, self._at = self._read(), time.monotonic()
        return self._found

    def _read(self) -> Certificate:
        return cast(Certificate, self._store.get(self._name).value)


def steps_of(events: list[Event], began: datetime) -> list[str]:
    """Each step that disturbed somebody, with the seconds in which it began and ended, to hold beside the troubles."""
    told = []
    for event in events:
        step = str(event.get("step", ""))
        if event["event"] in ("StepStarted", "StepFinished") and step.startswith((*DISTURBING, "await", "drain")):
            seconds = (datetime.fromisoformat(event["at"]) - began).total_seconds()
            told.append(f"{seconds:.1f} {step}{'' if event['event'] == 'StepStarted' else ': done'}")
    return told


def seconds_of(events: list[Event]) -> dict[str, float]:
    """By machine, the seconds from the first step that disturbed it until it served again."""
    replaced = any(str(event.get("step", "")).startswith(REPLACING) for event in events)
    disturbing = REPLACING if replaced else DISTURBING
    began: dict[str, datetime] = {}
    took: dict[str, float] = {}
    for event in events:
        step, machine = str(event.get("step", "")), event.get("instance")
        if machine is None:
            continue
        at = datetime.fromisoformat(event["at"])
        if event["event"] == "StepStarted" and step.startswith(disturbing):
            began.setdefault(machine, at)
        if event["event"] == "StepFinished" and step.startswith("await") and machine in began:
            took[machine] = round((at - began[machine]).total_seconds(), 1)
    return dict(sorted(took.items()))
