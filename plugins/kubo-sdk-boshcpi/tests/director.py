"""A director, for tests: calls a CPI executable as BOSH's own does, and refuses what it would refuse."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from attrs import frozen

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": "/tmp", "HOME": "/root"}
ENV = {
    "bosh": {
        "group": "dir-dep-worker",
        "groups": ["dir", "dep", "worker", "dir-dep", "dep-worker", "dir-dep-worker"],
        "tags": {"team": "a"},
        "mbus": {"urls": ["nats://n"], "cert": {"private_key": "hunter2-of-the-agent"}},
    }
}
DYNAMIC = {"private": {"type": "dynamic", "dns": [], "default": ["dns", "gateway"], "cloud_properties": {}}}
AGENT = "0f3e7a0e-3b0e-4b7c-9d7e-2a1c7b1d9f10"


class CpiFailed(Exception):
    """The error of a response: type, message, ok_to_retry."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['type']}: {error['message']}")
        self.type, self.message, self.ok_to_retry = error["type"], error["message"], error["ok_to_retry"]


@frozen
class Director:
    """Speaks one version with one executable.  ``api_version`` None leaves it out, as for the first ``info``."""

    command: Sequence[str]
    api_version: int | None = 2

    def send(self, content: bytes) -> tuple[dict[str, Any], str]:
        """The response as it is, and what came on standard error."""
        done = subprocess.run(
            self.command, input=content, capture_output=True, env=ENVIRONMENT, timeout=60, check=False
        )
        response = json.loads(done.stdout)
        assert set(response) == {"result", "error", "log"}
        assert isinstance(response["log"], str)
        if response["error"] is not None:
            kinds = {key: type(value) for key, value in response["error"].items()}
            assert kinds == {"type": str, "message": str, "ok_to_retry": bool}
        return response, done.stderr.decode()

    def call(self, method: str, *arguments: Any, **context: Any) -> Any:
        request = {
            "method": method,
            "arguments": arguments,
            "context": {"director_uuid": "d-1", "request_id": "cpi-123456", **context},
        }
        if self.api_version is not None:
            request["api_version"] = self.api_version
        response, _ = self.send(json.dumps(request).encode())
        if response["error"] is not None:
            raise CpiFailed(response["error"])
        return response["result"]

    def create_vm(self, agent_id: str = AGENT, **properties: Any) -> Any:
        return self.call("create_vm", agent_id, "kubo", properties, DYNAMIC, [], ENV)
