"""The process of the box.  It serves the API until its standard input ends, and then takes everything down.

Each line on standard input is a JSON list, the name of one of `Orders`' methods and its arguments; each line on
standard output is the answer, or the error.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from . import api
from .gate import Fault, Gate
from .world import World, clear


class Orders:
    """What a test may ask of the box besides its API."""

    def __init__(self, world: World, gate: Gate) -> None:
        self._world, self._gate = world, gate

    def inventory(self) -> list[str]:
        return api.inventory()

    def instances(self) -> list[dict[str, Any]]:
        return [api.instance(each) for each in api.instances()]

    def members(self) -> dict[str, list[str]]:
        """The addresses behind each balancer."""
        return {balancer.name: sorted(address for _, address in balancer.members) for balancer, _, _ in api.balancers()}

    def terminate(self, instance: str) -> None:
        """As somebody does who opened the cloud's console."""
        api.terminate(instance)
        self._world.follow("TerminateInstances", {}, frozenset())

    def arm(self, kind: str, action: str, times: int) -> None:
        self._gate.arm(Fault(kind=kind, action=action, times=times))

    def disarm(self) -> None:
        self._gate.disarm()

    def run(self, instance: str, *command: str) -> str:
        """Run a command on a machine, through the back door."""
        done = self._world.machines.shell(instance).run(command)
        return (done.stdout + done.stderr).decode()

    def cut_off(self, instance: str) -> None:
        self._world.machines.cut_off(instance)


def main(home: Path, cache: Path, port: int) -> None:
    """Serve the API at *port* of the loopback of this network namespace."""
    answers = sys.stdout
    sys.stdout = sys.stderr
    api.amend()
    world = World(home, cache)
    try:
        gate = Gate(DomainDispatcherApplication(create_backend_app), world.follow)
        server = make_server("127.0.0.1", port, gate, threaded=True, request_handler=MotoRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"answer": "ready"}), file=answers, flush=True)
        orders = Orders(world, gate)
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            print(json.dumps(_obey(orders, name, arguments)), file=answers, flush=True)
        server.shutdown()
    finally:
        world.clear()


def _obey(orders: Orders, name: str, arguments: list[Any]) -> dict[str, Any]:
    try:
        return {"answer": getattr(orders, name)(*arguments)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def sweep(home: Path, cache: Path) -> None:
    """What `main` does at its end, for a box that was killed."""
    clear(home, cache)
    shutil.rmtree(home)
