"""What stands before the API servers: the fake cloud's load balancer, and HAProxy on a fake proxy machine.

No byte is copied: a connection is handed to an API server that is ready, which answers on it itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define

from kubo_sdk.builtin.haproxy_config import CONFIG
from kubo_sdk.builtin.haproxy_ingress import RELOAD
from kubo_sdk.testing.fakes.units import FakeUnit
from kubo_sdk.testing.fakes.wire import Listener

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.cloud import FakeCloud
    from kubo_sdk.testing.fakes.machine import FakeMachine

_FRONTEND = re.compile(r"^frontend api\n  bind :(\d+)$", re.MULTILINE)
_SERVER = re.compile(r"^  server \S+ (\S+?):(\d+)$", re.MULTILINE)


@define(eq=False, kw_only=True)
class Balance:
    """Takes turns among the backends whose API server is ready."""

    cloud: FakeCloud
    backends: list[tuple[str, int]]
    turn: int = 0

    def route(self) -> Listener | None:
        if self.cloud.faults.is_dead:
            return None
        with self.cloud.lock:
            servers = [self.cloud.api_at.get(address) for address in self.backends]
            ready = [server for server in servers if server is not None and server.ready()]
            self.turn += 1
            return ready[self.turn % len(ready)].listener if ready else None


class FrontProcess:
    """HAProxy on a proxy: the API's port of the machine, as its configuration says.

    A changed configuration is taken over at once, if the unit that watches it runs.
    """

    def __init__(self, machine: FakeMachine, unit: FakeUnit, _text: str) -> None:
        self._machine, self._unit = machine, unit
        self._config = machine.files.get(CONFIG, b"")
        ports = _FRONTEND.search(self._config.decode())
        self._balance = Balance(cloud=machine.cloud, backends=_backends(self._config))
        self._listener: Listener | None = None
        if ports is not None:
            route: Callable[[], Listener | None] = self._route
            self.address = (machine.address, int(ports[1]))
            self._listener = Listener(address=self.address, route=route)
            machine.cloud.doorman.open(self._listener)

    def ready(self) -> bool:
        return True

    def _route(self) -> Listener | None:
        config = self._machine.files.get(CONFIG, b"")
        if config is not self._config and self._machine.runs(f"{RELOAD}.path"):
            self._config, self._balance.backends = config, _backends(config)
        return self._balance.route() if self._machine.serves(self._unit) else None

    def pause(self) -> None:
        self._machine.cloud.break_off(self._listener)

    def stop(self) -> None:
        if self._listener is not None:
            self._machine.cloud.doorman.shut(self._listener)


def _backends(config: bytes) -> list[tuple[str, int]]:
    return [(address, int(port)) for address, port in _SERVER.findall(config.decode())]
