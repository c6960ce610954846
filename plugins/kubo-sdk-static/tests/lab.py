"""Lab: machines that exist already, which here are machines of the CPI local with an SSH server in them.

As a program: ``lab.py make|state|remove HOME CACHE SUBNET COUNT``, in whatever network namespace it is run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml
from attrs import field, frozen
from kubo_sdk_local import faults
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.cpi import connect as connect_local

from kubo_sdk.errors import KuboError, ProviderError
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.cpi import Vm, VmRequest, VmState
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.contracts.contract import at_once
from kubo_sdk.testing.contracts.cpi_site import instance
from kubo_sdk_static.config import StaticConfig
from kubo_sdk_static.connect import connect
from kubo_sdk_static.cpi import StaticCpi

RACKS = ClusterId(director="lab", name="racks")

_SSHD = """\
[Unit]
Description=The way in, as on any machine
[Service]
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
ExecStart=/usr/sbin/sshd -D -e -o UsePAM=no -o MaxStartups=100
Restart=always
RestartSec=0.2
[Install]
WantedBy=multi-user.target
"""
# How a machine is: files with their content, processes, mounts, interfaces, addresses, routes, rules, settings.
STATE = r"""
find /etc /opt /usr/local /var/lib /var/cache /var/log /root /run/netns -xdev -type f ! -path '/var/lib/systemd/*' \
  ! -name '*-' -exec sha256sum {} + 2>/dev/null | sort -k 2
find /etc /opt /usr/local /var/lib /var/cache /var/log -xdev ! -type f -printf '%y %p %m %u %l\n' | sort
for entry in /proc/[0-9]*; do tr '\0' ' ' <"$entry/cmdline" 2>/dev/null | cut -c 1-60; echo; done \
  | grep -v -e '^sh -c' -e '^$' -e sshd: -e '^find' -e '^sed' -e '^cut' -e '^tr ' -e '^grep' -e '^sort' | sort
cut -d ' ' -f 2,3 /proc/mounts | sort
ls /sys/class/net
ip -o address show dev lo | sed 's/ *valid_lft.*//'
ip route
iptables-save | grep -v '^#' | sed 's/\[.*\]//'
nft list ruleset
for name in net/ipv4/ip_forward vm/overcommit_memory kernel/panic; do echo "$name $(cat /proc/sys/$name)"; done
"""

_MAKE_READY = r"""
set -eu
umask 077
mkdir -p /root/.ssh
cat >/root/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
printf '%s' "$1" >/etc/systemd/system/lab-sshd.service
tries=0
until systemctl enable -q --now lab-sshd.service 2>/run/lab-sshd; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ]; then cat /run/lab-sshd >&2; exit 1; fi
  sleep 0.1
done
cat /etc/ssh/ssh_host_ed25519_key.pub
"""


@frozen(kw_only=True)
class Lab:
    """Machines called m0, m1 …, the last *second* of them in zone z2."""

    local: LocalCpi
    home: Path
    machines: dict[str, Vm] = field(factory=dict)
    host_keys: dict[str, str] = field(factory=dict)
    zones: dict[str, str] = field(factory=dict)
    off: set[str] = field(factory=set)
    stopping: threading.Event = field(factory=threading.Event)

    @classmethod
    def make(cls, home: Path, cache: Path, count: int, second: int, subnet: str) -> Lab:
        """The machines, up, with one key to enter them all.  They start again when they were shut down."""
        context = ConnectContext(spec=spec_of(RACKS), state_dir=home / "local", cache_dir=cache, base_dir=home)
        local = connect_local(LocalConfig(subnet=IPv4Network(subnet)), context)
        assert isinstance(local, LocalCpi)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "key")], check=True)
        lab = cls(local=local, home=home)
        try:
            local.prepare(RACKS)
            at_once(lambda index: lab._add(index, "z2" if index >= count - second else "z1"), range(count))
        except BaseException:
            lab.close()
            raise
        threading.Thread(target=lab._supervise, daemon=True).start()
        return lab

    def _add(self, index: int, zone: str) -> None:
        name = f"m{index}"
        vm = self.local.create_vm(_request(index))
        public = (self.home / "key.pub").read_bytes()
        shell = self.local.open_shell(vm)
        told = shell.run(["sh", "-c", _MAKE_READY, "sh", _SSHD], stdin=public, timeout=120).check(f"readying {name}")
        self.machines[name], self.zones[name] = vm, zone
        self.host_keys[name] = " ".join(told.decode().split()[:2])

    def _supervise(self) -> None:
        """A machine that shut itself down to restart is started again, as firmware does."""
        while not self.stopping.wait(0.2):
            for vm in self.local.list_vms(RACKS):
                index = int(vm.instance.partition("/")[2])
                if vm.state is VmState.STOPPED and f"m{index}" not in self.off:
                    with suppress(KuboError):
                        self.local.create_vm(_request(index))

    @classmethod
    def find(cls, home: Path, cache: Path, subnet: str) -> Lab:
        """The lab that another process made there."""
        context = ConnectContext(spec=spec_of(RACKS), state_dir=home / "local", cache_dir=cache, base_dir=home)
        local = connect_local(LocalConfig(subnet=IPv4Network(subnet)), context)
        assert isinstance(local, LocalCpi)
        return cls(local=local, home=home, machines={vm.instance.replace("/", ""): vm for vm in local.list_vms(RACKS)})

    def file(self, names: Iterable[str] | None = None, path: str = "machines.yml", **more: Any) -> Path:
        """Write a machines file with those machines."""
        entries = [
            {
                "name": name,
                "address": self.machines[name].address,
                "host_keys": [self.host_keys[name]],
                "zone": self.zones[name],
            }
            for name in (sorted(self.machines) if names is None else names)
        ]
        for entry in entries:
            entry.update(more.get(str(entry["name"]), {}))
        found = self.home / path
        found.write_text(yaml.safe_dump({"key_file": "key", "machines": entries}))
        return found

    def cpi(self, file: Path | None = None, cluster: ClusterId = RACKS, **options: Any) -> StaticCpi:
        """The CPI under test, as a director's process connects it."""
        config = self.config(file, **options)
        context = ConnectContext(
            spec=spec_of(cluster), state_dir=self.home / "state", cache_dir=self.home / "cache", base_dir=self.home
        )
        made = connect(config, context)
        assert isinstance(made, StaticCpi)
        return made

    def config(self, file: Path | None = None, **options: Any) -> StaticConfig:
        return StaticConfig(machines=file or self.file(), **options)

    def run(self, name: str, *command: str, stdin: bytes = b"") -> str:
        """What *command* prints on the machine, entered past SSH."""
        shell = self.local.open_shell(self.machines[name])
        return shell.run(command, stdin=stdin, timeout=120).check(" ".join(command)).decode()

    def state(self, name: str) -> list[str]:
        """How the machine is, to compare with later."""
        return self.run(name, "sh", "-c", STATE).splitlines()

    @contextmanager
    def kept_off(self, *names: str) -> Iterator[None]:
        """Within, machines that shut themselves down are not started again."""
        self.off.update(names)
        try:
            yield
        finally:
            self.off.difference_update(names)

    @contextmanager
    def silent(self, *names: str) -> Iterator[None]:
        """Within, the machines are cut off the network and run on."""
        for name in names:
            faults.cut_off(self.local, self.machines[name])
        try:
            yield
        finally:
            for name in names:
                faults.reconnect(self.local, self.machines[name])

    def answers(self, cpi: StaticCpi, vm: Vm) -> bool:
        """Whether the claimed machine can be entered."""
        try:
            return cpi.open_shell(vm).run(["true"]).exit_code == 0
        except ProviderError:
            return False

    def close(self) -> None:
        """Remove every machine."""
        self.stopping.set()
        for vm in self.local.list_vms(RACKS):
            self.local.delete_vm(vm.id)
        self.local.dispose(RACKS)


def _request(index: int) -> VmRequest:
    instance = Instance(group="m", index=index, role=Role.WORKER, az="z1")
    return VmRequest(cluster=RACKS, instance=instance, token=f"m{index}")


def spec_of(cluster: ClusterId) -> ClusterSpec:
    version = KubernetesVersion.parse("1.20.2")
    return ClusterSpec(name=cluster.name, director=cluster.director, kubernetes=KubernetesSpec(version=version))


def request(name: str, cluster: ClusterId = RACKS, az: str = "z1", **more: Any) -> VmRequest:
    """A machine for that slot, as the core asks for one."""
    slot = instance(name, az=az)
    return VmRequest(cluster=cluster, instance=slot, token=slot.slug, **more)


def main(what: str, home: Path, cache: Path, subnet: str, count: int) -> None:
    """``make`` also writes the machines file; ``state`` prints how every machine is, as JSON."""
    if what == "make":
        Lab.make(home, cache, count, 0, subnet).file()
        return
    lab = Lab.find(home, cache, subnet)
    if what == "state":
        sys.stdout.write(json.dumps({name: lab.state(name) for name in sorted(lab.machines)}))
    else:
        lab.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
