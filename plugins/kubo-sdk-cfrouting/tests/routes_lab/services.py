"""Services as the agent keeps them."""

from __future__ import annotations

import attrs

from kubo_sdk_cfrouting.agent.routes_objects import Port, Service

WEB = Port("web", 80, "TCP", 30080)


def service(
    name: str = "shop",
    *ports: Port,
    type_: str = "NodePort",
    created: str = "2026-01-01T00:00:00Z",
    local: bool = False,
    **wishes: str,
) -> Service:
    return Service("default", name, f"uid-{name}", created, type_, local, ports or (WEB,), **wishes)


@attrs.define
class Clock:
    """Stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
