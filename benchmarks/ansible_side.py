"""The other side of benchmarks/ssh: the same files put on the same machines by Ansible, from the package index."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

from attrs import frozen
from ssh_machines import Farm

VERSION = "2.19.4"
PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        src: {source}/
        dest: {target}/
        mode: preserve
"""


def installed(cache: Path) -> Path:
    """The directory of Ansible's programs; installed once for each version of it and of Python."""
    place = cache / "ansible" / f"{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    if not (place / "complete").exists():
        venv.create(place, with_pip=True, clear=True)
        pip = [place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", f"ansible-core=={VERSION}"]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        (place / "complete").touch()
    return place / "bin"


@frozen(kw_only=True)
class Ansible:
    """One inventory: Ansible's own way to the machines of *farm*, its connections kept open as ours are."""

    programs: Path
    farm: Farm
    home: Path
    source: Path
    target: str
    pipelining: bool

    def lay_out(self, ports: list[int] | None) -> None:
        """Write what Ansible reads.  *ports*: by the wires that count, not directly."""
        self.home.mkdir(parents=True)
        key = self.home / "key"
        key.touch(mode=0o600)
        key.write_bytes(self.farm.user.reveal_bytes())
        hosts, known = {}, []
        for number in range(self.farm.count):
            host = self.farm.host(number, ports[number] if ports else 22)
            hosts[f"machine{number}"] = {"ansible_host": host.host, "ansible_port": host.port}
            known.append(f"{host.host if host.port == 22 else f'[{host.host}]:{host.port}'} {self.farm.host_line}\n")
        common = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(key),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        (self.home / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}))
        (self.home / "known_hosts").write_text("".join(known))
        (self.home / "play.yml").write_text(PLAY.format(source=self.source, target=self.target))

    def play(self) -> None:
        """Run the play once on every machine."""
        ssh = f"-o ControlMaster=auto -o ControlPersist=120s -o UserKnownHostsFile={self.home}/known_hosts"
        environment = {
            **os.environ,
            "ANSIBLE_SSH_ARGS": ssh,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.home / "cp"),
            "ANSIBLE_HOME": str(self.home / "ansible"),
            "ANSIBLE_PIPELINING": str(self.pipelining),
            "ANSIBLE_FORKS": str(self.farm.count),
            "ANSIBLE_NOCOWS": "1",
        }
        command = [self.programs / "ansible-playbook", "-i", self.home / "hosts.json", self.home / "play.yml"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"ansible-playbook failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def close(self) -> None:
        """End the connections that Ansible left open."""
        for control in (self.home / "cp").glob("*"):
            subprocess.run(
                ["ssh", "-O", "exit", "-o", f"ControlPath={control}", "any"], check=False, capture_output=True
            )
