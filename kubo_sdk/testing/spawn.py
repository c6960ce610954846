"""Another process that uses a CPI and kills itself on the way, for the suites.

``python -m kubo_sdk.testing.spawn`` reads one JSON object from standard input.  The moments of a call are counted by
the interpreter's audit events, of which every file opened, process started and connection made is one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError, NotFound
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.cpi import Cpi, VmRequest
from kubo_sdk.ports.providers import ConnectContext

DEADLINE = 600
_COUNTED = ("open", "os.", "subprocess.", "shutil.", "fcntl.", "socket.", "http.", "urllib.")


@frozen(kw_only=True)
class Spawnable:
    """An installed CPI or DNS provider by its name, with its options and the directories of its `ConnectContext`.

    ``base_dir`` is the state directory where it is not given.
    """

    provider: str
    options: Mapping[str, Any] = field(factory=dict, repr=False)
    state_dir: Path
    cache_dir: Path
    base_dir: Path | None = None

    @property
    def base(self) -> Path:
        """Where relative paths of the options start."""
        return self.base_dir or self.state_dir


def count_moments(spawnable: Spawnable, method: str, request: VmRequest) -> int:
    """Run the whole call in a process of its own; how many moments it has."""
    done = _spawn(spawnable, method, request, moment=0)
    assert done.returncode == 0, f"the other process failed: {done.stderr.decode(errors='replace')}"
    return int(done.stdout.split()[-1])


def kill_at(moment: int, spawnable: Spawnable, method: str, request: VmRequest) -> None:
    """Run the call in a process that kills itself at that moment; it may end before when the call has fewer."""
    done = _spawn(spawnable, method, request, moment=moment)
    assert done.returncode in {0, -signal.SIGKILL}, f"the other process failed: {done.stderr.decode(errors='replace')}"


def _spawn(spawnable: Spawnable, method: str, request: VmRequest, moment: int) -> subprocess.CompletedProcess[bytes]:
    asked = {
        "provider": spawnable.provider,
        "options": dict(spawnable.options),
        "state_dir": str(spawnable.state_dir),
        "cache_dir": str(spawnable.cache_dir),
        "base_dir": str(spawnable.base),
        "cluster": [request.cluster.director, request.cluster.name],
        "instance": [request.instance.group, request.instance.index, request.instance.az],
        "method": method,
        "moment": moment,
    }
    command = [sys.executable, "-m", "kubo_sdk.testing.spawn"]
    return subprocess.run(command, input=json.dumps(asked).encode(), capture_output=True, timeout=DEADLINE, check=False)


def main() -> None:
    """The child."""
    asked = json.loads(sys.stdin.buffer.read())
    director, name = asked["cluster"]
    cluster = ClusterId(director=director, name=name)
    group, index, az = asked["instance"]
    instance = Instance(group=group, index=index, role=Role.WORKER, az=az)
    cpi = _connect(asked, cluster)
    machines = cpi.list_vms(cluster)  # whatever is imported late is imported now
    reached = _Moments(asked["moment"])
    sys.addaudithook(reached.count)
    if asked["method"] == "create_vm":
        cpi.create_vm(VmRequest(cluster=cluster, instance=instance, token=instance.slug))
    elif machines:
        cpi.delete_vm(machines[0].id)
    else:
        raise NotFound(f"this process sees no machine of {cluster}, where another one made it")
    os.write(1, f"\n{reached.number}\n".encode())


def _connect(asked: dict[str, Any], cluster: ClusterId) -> Cpi:
    provider = Plugins().cpi(asked["provider"])
    config, problems = structure(provider.config, asked["options"], "cpi")
    if problems:
        raise ConfigError(problems)
    spec = ClusterSpec(
        name=cluster.name,
        director=cluster.director,
        kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")),
    )
    state, cache, base = (Path(asked[f"{name}_dir"]) for name in ("state", "cache", "base"))
    return provider.connect(config, ConnectContext(spec=spec, state_dir=state, cache_dir=cache, base_dir=base))


class _Moments:
    """Counts, and ends this process at the chosen one."""

    def __init__(self, last: int) -> None:
        self.number = 0
        self._last = last

    def count(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if event.startswith(_COUNTED):
            self.number += 1
            if self.number == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
