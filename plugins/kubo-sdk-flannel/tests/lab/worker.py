"""A worker: a namespace with one interface, the agent in it, and pods made by the real CNI plugins."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .namespaces import Namespace, stop, wait_for, with_capabilities

PYTHON = "/usr/bin/python3"
CNI_BIN = Path("/usr/lib/cni")


class Worker:
    """``files`` holds what the machine's / would: settings, subnet.env, the CNI configuration, the state."""

    def __init__(self, namespace: Namespace, address: str, files: Path, agent: Path) -> None:
        self.namespace = namespace
        self.address = address
        self.files = files
        self.log = files / "agent.log"
        self.subnet_file = files / "subnet.env"
        self.cni_file = files / "10-flannel.conflist"
        self.state_file = files / "flannel.json"
        self.pods: list[Namespace] = []
        self._agent = agent
        self._process: subprocess.Popen[bytes] | None = None
        files.mkdir(parents=True, exist_ok=True)

    def configure(self, settings: dict[str, Any]) -> None:
        places = {
            "public_ip": self.address,
            "subnet_file": str(self.subnet_file),
            "cni_file": str(self.cni_file),
            "state_file": str(self.state_file),
        }
        (self.files / "settings.json").write_text(json.dumps(places | settings))

    def start(self) -> None:
        command = [
            *with_capabilities("net_admin", "net_raw"),
            PYTHON,
            "-IS",
            str(self._agent),
            "agent",
            str(self.files / "settings.json"),
        ]
        self._process = self.namespace.start(command, self.log)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process:
            stop(self._process, how)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """The agent stands still and goes on afterwards."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def command_line_and_environment(self) -> str:
        """What every process of the machine may see of the agent."""
        assert self._process is not None
        process = Path(f"/proc/{self._process.pid}")
        return (process / "cmdline").read_text() + (process / "environ").read_text()

    def ready(self, timeout: float = 15.0) -> Worker:
        wait_for(self.subnet_file.exists, f"the subnet of {self.namespace.name} ({self.log})", timeout)
        wait_for(lambda: self.state().get("state") == "ready", "the state file", timeout)
        return self

    def state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            return {}
        return found

    @property
    def subnet(self) -> str:
        return str(self.state()["subnet"])

    def said(self, text: str) -> bool:
        return text in self.log.read_text()

    # -- what the kernel has

    def link(self, name: str = "flannel.1") -> dict[str, Any] | None:
        shown = self.namespace.run("ip", "-d", "-j", "link", "show", name, check=False)
        found = json.loads(shown or "[]")
        return found[0] if found else None

    def routes(self) -> dict[str, dict[str, Any]]:
        """Routes of the main table by destination."""
        return {route["dst"]: route for route in json.loads(self.namespace.ip("-j", "route"))}

    def fdb(self) -> set[tuple[str, str]]:
        """(MAC, machine) of the VXLAN device."""
        shown = json.loads(self.namespace.run("bridge", "-j", "fdb", "show", "dev", "flannel.1"))
        return {(entry["mac"], entry["dst"]) for entry in shown if "dst" in entry}

    def neighbours(self) -> set[tuple[str, str]]:
        """(subnet base, MAC) of the VXLAN device."""
        shown = json.loads(self.namespace.ip("-j", "neigh", "show", "dev", "flannel.1", "nud", "permanent"))
        return {(entry["dst"], entry["lladdr"]) for entry in shown}

    def rules(self, table: str, chain: str) -> list[str]:
        shown = self.namespace.run("iptables-save", "-t", table)
        return [line for line in shown.splitlines() if re.match(rf"-A {chain} ", line)]

    # -- pods

    def add_pod(self) -> Pod:
        """A pod as kubelet would make it, from the CNI configuration the agent wrote."""
        space = Namespace(f"{self.namespace.name}p{len(self.pods)}")
        self.pods.append(space)
        network = json.loads(self.cni_file.read_text())
        result: dict[str, Any] | None = None
        for plugin in network["plugins"]:
            config = plugin | {"name": network["name"], "cniVersion": network["cniVersion"]}
            if result:
                config["prevResult"] = result
            result = json.loads(self._call_plugin(plugin["type"], space.name, config))
        assert result is not None
        return Pod(space, result["ips"][0]["address"].partition("/")[0])

    def _call_plugin(self, kind: str, container: str, config: dict[str, Any]) -> str:
        kept = self.files / "cni"
        kept.mkdir(exist_ok=True)
        script = f"mount --bind {kept} /var/lib/cni && exec {CNI_BIN / kind}"
        Path("/var/lib/cni").mkdir(exist_ok=True)
        env = {
            "CNI_COMMAND": "ADD",
            "CNI_CONTAINERID": container,
            "CNI_NETNS": f"/run/netns/{container}",
            "CNI_IFNAME": "eth0",
            "CNI_PATH": str(CNI_BIN),
        }
        return self.namespace.run("unshare", "-m", "sh", "-ec", script, stdin=json.dumps(config), env=env)

    def close(self) -> None:
        for pod in self.pods:
            pod.close()
        self.namespace.close()


class Pod:
    """A namespace with the interface CNI gave it."""

    def __init__(self, namespace: Namespace, address: str) -> None:
        self.namespace = namespace
        self.address = address

    def reaches(self, address: str) -> bool:
        return self.namespace.succeeds("ping", "-n", "-c", "1", "-W", "1", address)

    def serve(self, log: Path) -> None:
        """Answer every TCP connection to port 8080 with the address it came from."""
        self.namespace.start([PYTHON, "-ISu", "-c", _SERVER], log)
        wait_for(lambda: ":8080" in self.namespace.run("ss", "-Hlnt"), f"the server of {self.address}")

    def ask(self, address: str) -> str:
        """What a `serve` at *address* says; empty where there is no answer."""
        return self.namespace.run(PYTHON, "-ISc", _CLIENT, address, check=False).strip()


_SERVER = """
import socket
listener = socket.create_server(("", 8080))
while True:
    connection, peer = listener.accept()
    connection.sendall(peer[0].encode())
    connection.close()
"""
_CLIENT = """
import socket, sys
print(socket.create_connection((sys.argv[1], 8080), 2).recv(64).decode())
"""
