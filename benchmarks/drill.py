"""A drill: a real cluster with its monitor running, broken on purpose, and watched until it is whole again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from kubo_sdk_local import faults
from kubo_sdk_local.cpi import LocalCpi
from watchers import Writer, reader

from kubo_sdk import Cluster
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable
from kubo_sdk.observe import find_machines
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.steps.endpoints import API

HEAL_SECONDS = 180
POLL_SECONDS = 0.1


class Drill:
    """Holds one cluster that is up.  Use it in a ``with``: the monitor runs and the API is asked and written to."""

    def __init__(self, spec: Path, state: Path, cache: Path) -> None:
        self._files = ["--file", str(spec), "--state", str(state), "--cache", str(cache)]
        self.cluster = Cluster.load(spec, state_dir=state, cache_dir=cache)
        self.events: list[dict[str, Any]] = []
        self._monitor: subprocess.Popen[str] | None = None
        endpoint = find_machines(self.cluster.spec, self.cluster.providers).endpoints[API]
        store = self.cluster.providers.credential_store
        admin = cast(Certificate, store.get(self.cluster.spec.id.credential("admin")).value)
        self.reader = reader(endpoint, lambda: admin)
        self.writer = Writer(endpoint, lambda: admin, "drill")

    def __enter__(self) -> Drill:
        self.start_monitor()
        self.reader.__enter__()
        self.writer.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.__exit__()
        self.reader.__exit__()
        self.end_monitor()

    def start_monitor(self) -> None:
        command = [sys.executable, "-m", "kubo_sdk", "monitor", *self._files, "--json"]
        process = self._monitor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    def end_monitor(self) -> None:
        if self._monitor is not None:
            self._monitor.terminate()
            self._monitor.wait(HEAL_SECONDS)

    def kill_monitor(self) -> None:
        """As the kernel would for want of memory."""
        if self._monitor is not None:
            self._monitor.kill()
            self._monitor.wait()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if "event" in told:
                self.events.append(told)

    # -- what can be broken

    @property
    def cpi(self) -> LocalCpi:
        return cast(LocalCpi, self.cluster.providers.cpi)

    def vms(self, *instances: str) -> list[Vm]:
        """The machines of these instances, or all."""
        return [vm for vm in self.cpi.list_vms(self.cluster.spec.id) if not instances or vm.instance in instances]

    def lose_machines(self, *instances: str) -> None:
        """The machines are gone; their disks stay."""
        for vm in self.vms(*instances):
            self.cpi.delete_vm(vm.id)

    def lose_disk(self, instance: str) -> None:
        """The machine is gone, and its disk too."""
        self.lose_machines(instance)
        for disk in self.cpi.list_disks(self.cluster.spec.id):
            if disk.instance == instance:
                self.cpi.delete_disk(disk.id)

    def power_off(self, *instances: str) -> None:
        for vm in self.vms(*instances):
            faults.power_off(self.cpi, vm)

    def cut_off(self, instance: str) -> None:
        (vm,) = self.vms(instance)
        faults.cut_off(self.cpi, vm)

    def freeze(self, instance: str) -> None:
        (vm,) = self.vms(instance)
        faults.freeze(self.cpi, vm)

    def systemctl(self, instance: str, *arguments: str) -> None:
        self.cluster.shell(instance).run(["systemctl", *arguments]).check(f"systemctl {arguments[0]} on {instance}")

    # -- what is measured

    def break_and_heal(self, what: str, act: Callable[[], object], concerned: Sequence[str]) -> dict[str, Any]:
        """Break something, wait until all is well again, and tell how it went.

        ``detected_seconds``: from the first touch until the monitor told of a problem with one of *concerned*.
        ``healed_seconds``: from then until every source called every instance well again.
        """
        seen = len(self.events)
        began = datetime.now(UTC)
        act()
        detected = self._await_problem(seen, concerned)
        healed = self._await_health()
        steps = [event["step"] for event in self.events[seen:] if event["event"] == "StepFinished"]
        return {
            "fault": what,
            "detected_seconds": round((detected - began).total_seconds(), 2),
            "healed_seconds": round((healed - detected).total_seconds(), 2),
            "api": self.reader.since(began),
            "writes": {**self.writer.since(began), "lost": len(self.writer.lost())},
            "steps": steps,
            "decisions": [
                f"{event['problem']}: {event['resolution']}"
                for event in self.events[seen:]
                if event["event"] == "RepairDecided"
            ],
        }

    def _await_problem(self, seen: int, concerned: Sequence[str]) -> datetime:
        def told() -> datetime | None:
            for event in self.events[seen:]:
                if event["event"] == "ProblemSeen" and event["instance"] in concerned:
                    return datetime.fromisoformat(event["at"])
            return None

        return wait_until(told, what="a problem being told", timeout=HEAL_SECONDS, interval=POLL_SECONDS)

    def _await_health(self) -> datetime:
        def well() -> datetime:
            status = self.cluster.status()
            if not status.healthy:
                raise Unavailable(status.verdict)
            return datetime.now(UTC)

        return wait_until(well, what="the cluster being well", timeout=HEAL_SECONDS, interval=POLL_SECONDS)
