"""What the agent knows of itself, in one JSON file for whoever asks how the node's network is doing."""

from __future__ import annotations

import json
import time
from typing import Any

from kubo_sdk_flannel.agent import files, systemd
from kubo_sdk_flannel.agent.store import View
from kubo_sdk_flannel.agent.trouble import say


class State:
    """Rewrites its file whenever something changed.  Errors are said once each, not once a second."""

    def __init__(self, path: str, public_ip: str) -> None:
        self._path = path
        self._facts: dict[str, Any] = {"state": "waiting", "public_ip": public_ip, "error": ""}
        self._errors: dict[str, str] = {}
        self._said: dict[str, set[str]] = {}

    def ready(self, view: View, *, network: str, device: str, mtu: int, expires_at: float) -> None:
        """The network is there, as *view* tells."""
        leases = [{"subnet": str(lease.subnet), "public_ip": lease.public_ip} for lease in view.others]
        self._update(
            state="ready",
            subnet=str(view.own.subnet),
            backend=view.own.backend,
            network=network,
            device=device,
            mtu=mtu,
            lease_expires_at=_utc(expires_at),
            leases=sorted(leases, key=lambda lease: lease["subnet"]),
        )
        systemd.notify(f"STATUS={view.own.subnet} over {view.own.backend}, other nodes: {len(leases)}")

    def trouble(self, part: str, error: str) -> None:
        """*part* of the agent's work fails with *error*; an empty text says that it works again."""
        if error == self._errors.get(part, ""):
            return
        self._errors[part] = error
        self._say(part, error)
        worst = next((text for text in self._errors.values() if text), "")
        self._update(error=worst, error_at=_utc(time.time()) if worst else "")
        if self._facts["state"] == "waiting" and worst:
            systemd.notify(f"STATUS=waiting: {worst}")

    def _say(self, part: str, error: str) -> None:
        """Each error of an outage once, although the members of etcd take turns with theirs."""
        if not error:
            self._said.pop(part, None)
            say(f"{part}: works again")
        elif error not in self._said.setdefault(part, set()):
            self._said[part].add(error)
            say(error)

    def _update(self, **facts: Any) -> None:
        changed = {**self._facts, **facts}
        if changed != self._facts:
            self._facts = changed
            files.write(self._path, json.dumps(changed, indent=2) + "\n")


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds else ""
