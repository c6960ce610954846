"""Inside somebody else's process: two clusters side by side, no trace in the process, nothing done by importing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk import Cluster, Event, Objection, Plan, Plugins, hookimpl
from kubo_sdk.errors import UnsafePlan
from kubo_sdk.events import OperationFinished, StepFinished
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized


class Platform:
    """An embedding platform: a cloud and plugins of its own."""

    def __init__(self, cloud: FakeCloud, home: Path, name: str, *more: object) -> None:
        self.cloud, self.heard = cloud, list[Event]()
        spec = fake_spec(home / "release", name=name, instance_groups=sized(worker=2))
        plugins = Plugins(cloud.plugin(), self, *more, load_installed=False)
        places = {"state_dir": home / "state", "cache_dir": home / "cache"}
        self.cluster = Cluster(spec, plugins=plugins, clock=cloud.clock, **places)

    @hookimpl
    def kubo_on_event(self, event: Event) -> None:
        self.heard.append(event)


@pytest.fixture
def clouds() -> Iterator[tuple[FakeCloud, FakeCloud]]:
    with FakeCloud() as first, FakeCloud(shares_trees=False, node_cidrs=True) as second:
        yield first, second


def test_two_clusters_with_different_plugins_are_deployed_at_once_in_one_process(
    clouds: tuple[FakeCloud, FakeCloud], tmp_path: Path
) -> None:
    platforms = [
        Platform(cloud, tmp_path / name, name) for cloud, name in zip(clouds, ("first", "second"), strict=True)
    ]
    together = threading.Barrier(2)

    def deploy(platform: Platform) -> None:
        together.wait()
        platform.cluster.deploy()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(deploy, platforms))
    for platform in platforms:
        assert platform.cluster.plan().is_empty
        assert {event.cluster for event in platform.heard} == {platform.cluster.spec.id}
        assert len([event for event in platform.heard if isinstance(event, OperationFinished)]) == 1
        assert len(platform.cloud.machines) == 8
    first, second = platforms
    first.cluster.delete()
    assert (len(first.cloud.machines), len(second.cloud.machines)) == (0, 8)
    assert second.cluster.plan().is_empty


class Frozen:
    """Objects to everything."""

    @hookimpl
    def kubo_review_plan(self, plan: Plan) -> list[Objection]:
        return [Objection(reason=f"{plan.cluster} is frozen")]


def test_what_one_clusters_plugins_refuse_another_cluster_in_the_process_may_do(
    clouds: tuple[FakeCloud, FakeCloud], tmp_path: Path
) -> None:
    free, frozen = clouds
    refused = Platform(frozen, tmp_path / "frozen", "frozen", Frozen())
    with pytest.raises(UnsafePlan, match="kubo/frozen is frozen"):
        refused.cluster.deploy()
    allowed = Platform(free, tmp_path / "free", "free")
    allowed.cluster.deploy()
    assert (len(free.machines), len(frozen.machines)) == (8, 0)
    assert [event for event in refused.heard if isinstance(event, StepFinished)] == []


# Deploys and deletes with standard streams closed, and prints through a descriptor of its own what changed.
TRACELESS = """
import json, logging, os, signal, sys, threading, warnings
from pathlib import Path

out, home = int(sys.argv[1]), Path(sys.argv[2])
for stream in (sys.stdin, sys.stdout, sys.stderr):
    stream.close()
for number in range(3):
    try:
        os.close(number)
    except OSError:
        pass
printed = home / "printed"  # what is written to the closed streams' numbers lands here
os.open(printed, os.O_RDWR | os.O_CREAT | os.O_APPEND), os.dup(0), os.dup(0)

from kubo_sdk import Cluster, Plugins
from kubo_sdk.testing.fakes import FakeCloud, fake_spec

def process():
    loggers = [logging.getLogger(name) for name in ("", "kubo_sdk")]
    umask = os.umask(0o077)
    os.umask(umask)
    return {
        "handlers": [len(logger.handlers) for logger in loggers],
        "levels": [logger.level for logger in loggers],
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "hooks": [str(hook) for hook in (sys.excepthook, threading.excepthook, sys.unraisablehook, sys.gettrace())],
        "filters": len(warnings.filters),
        "environment": dict(os.environ),
        "place": os.getcwd(),
        "umask": umask,
        "path": list(sys.path),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "files": len(os.listdir("/proc/self/fd")),
    }

def run():
    with FakeCloud() as cloud:
        plugins = Plugins(cloud.plugin(), load_installed=False)
        spec = fake_spec(home / "release")
        places = {"state_dir": home / "state", "cache_dir": home / "cache"}
        cluster = Cluster(spec, plugins=plugins, clock=cloud.clock, **places)
        cluster.deploy()
        assert cluster.status().healthy
        cluster.delete()

run()  # whatever is imported late is imported now
before = process()
run()
after = process()
changed = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
os.write(out, json.dumps({"changed": changed, "handlers": after["handlers"], "printed": printed.read_text()}).encode())
"""


def test_a_deployment_leaves_no_trace_in_the_process_and_needs_no_standard_streams(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    command = [sys.executable, "-c", TRACELESS, str(writing), str(tmp_path)]
    with os.fdopen(reading) as told:
        ended = subprocess.run(command, pass_fds=[writing], check=False, capture_output=True, timeout=120)
        os.close(writing)
        assert ended.returncode == 0, ended.stderr.decode()
        found = json.loads(told.read())
    assert found == {"changed": {}, "handlers": [0, 0], "printed": ""}
    assert (ended.stdout, ended.stderr) == (b"", b"")


# Imports every module of the core and lists each thing done on the way that the world could notice.
IMPORTING = """
import importlib, json, pkgutil, signal, sys, threading

done = []
WATCHED = ("os.", "shutil.", "socket.", "subprocess.", "signal.", "tempfile.", "fcntl.", "urllib.", "sqlite3.")
READING = ("os.listdir", "os.scandir")

def watch(event, arguments):
    if event == "open":
        name, mode, flags = arguments
        if any(letter in (mode or "r") for letter in "wax+") and not str(name).endswith(".pyc"):
            done.append(f"open {name}")
    elif event.startswith(WATCHED) and event not in READING:
        done.append(f"{event} {arguments}")

sys.dont_write_bytecode = True
import kubo_sdk.ssh
early = "asyncssh" in sys.modules
# The library of the extra looks for C libraries when it is imported: that is its own, and why it is imported late.
import asyncssh
sys.addaudithook(watch)
handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
import kubo_sdk
skipped = ("kubo_sdk.__main__", "kubo_sdk.testing")
names = [each.name for each in pkgutil.walk_packages(kubo_sdk.__path__, "kubo_sdk.", onerror=lambda name: None)
         if not each.name.startswith(skipped)]
for name in names:
    importlib.import_module(name)
import logging
print(json.dumps({
    "modules": len(names),
    "asyncssh is imported early": early,
    "done": done,
    "threads": threading.active_count(),
    "handlers": len(logging.getLogger().handlers) + len(logging.getLogger("kubo_sdk").handlers),
    "signals": [number for number, handler in handlers.items() if signal.getsignal(number) is not handler],
}))
"""


def test_importing_any_module_of_the_core_does_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found.pop("modules") > 100
    assert not found.pop("asyncssh is imported early")
    assert found == {"done": [], "threads": 1, "handlers": 0, "signals": []}
    assert not list(tmp_path.iterdir())
