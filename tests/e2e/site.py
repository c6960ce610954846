"""Site: a network namespace and a state directory of their own, in which one test runs real clusters."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

SMALL = (("etcd", 1), ("master", 1), ("worker", 1), ("proxy", 1))
SEED = (("etcd", 3), ("master", 2), ("worker", 3), ("proxy", 1))

UP_SECONDS = 300


@frozen(kw_only=True)
class Site:
    """Where clusters live: everything below *home*, all traffic inside the namespace *netns*."""

    netns: str
    home: Path
    directory: str = "state"

    @property
    def state(self) -> Path:
        return self.home / self.directory

    def spec(self, name: str, shape: Sequence[tuple[str, int]] = SEED, **changes: Any) -> Path:
        """Write a cluster.yml and return its path."""
        azs = ["z1", "z2", "z3"]
        document: dict[str, Any] = {
            "name": name,
            "kubernetes": {"version": "1.20.2", "source": "debian"},
            "cpi": {"provider": "local", "root": str(self.home / "local"), "subnet": "10.97.0.0/24"},
            "instance_groups": [
                {"name": role, "instances": count, "azs": azs, "persistent_disk_mb": 1024 if role == "etcd" else 0}
                for role, count in shape
            ],
        }
        document.update(changes)
        path = self.home / f"{name}.yml"
        path.write_text(yaml.safe_dump(document))
        return path

    def command(self, *arguments: str) -> list[str]:
        """*arguments* as a command inside the namespace; the mount namespace stays, so /sys/fs/cgroup does too."""
        return ["nsenter", f"--net=/run/netns/{self.netns}", "--", *arguments]

    def kubo_command(self, spec: Path, *arguments: str) -> list[str]:
        head, *rest = arguments
        return self.command(
            sys.executable, "-m", "kubo_sdk", head, "--file", str(spec), "--state", str(self.state), *rest
        )

    def kubo(self, spec: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command of the CLI to its end."""
        return self.run(self.kubo_command(spec, *arguments), check=check)

    def kubectl(self, spec: Path, *arguments: str, check: bool = True) -> str:
        return self.kubo(spec, "kubectl", "--", *arguments, check=check).stdout

    def run(self, command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=UP_SECONDS, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{' '.join(command)} exited {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def plan(self, spec: Path) -> dict[str, Any]:
        return dict(json.loads(self.kubo(spec, "plan", "--json").stdout))

    def status(self, spec: Path) -> dict[str, Any]:
        return dict(json.loads(self.kubo(spec, "status", "--json", check=False).stdout))


@contextmanager
def site(name: str, home: Path) -> Iterator[Site]:
    """Make the namespace, and delete every cluster of the site at the end, also after a failure."""
    here = Site(netns=name, home=home)
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(here.command("ip", "link", "set", "lo", "up"), check=True)
        yield here
    finally:
        for spec in sorted(home.glob("*.yml")):
            here.kubo(spec, "delete", "--yes", check=False)
        subprocess.run(["ip", "netns", "delete", name], check=True)
