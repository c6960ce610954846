"""Machines for these tests: Debian's own sshd and sudo in namespaces, so that nothing of this host is touched.

A machine has its own /etc, /root and /home and its own processes.  It listens on an address of 127.0.0.0/8, which in a
network namespace of the test belongs to nobody else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import Factory, define, field, frozen
from kubo_sdk_local import syscalls

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.ssh import SshHost, new_key_pair

NEEDED_OF_ETC = (
    "environment ld.so.cache ld.so.conf ld.so.conf.d localtime login.defs nsswitch.conf pam.conf pam.d security shells "
    "sudo.conf"
)
PASSWD = """\
root:x:0:0:root:/root:/bin/bash
sshd:x:110:65534::/run/sshd:/usr/sbin/nologin
operator:x:4242:4242::/home/operator:/bin/bash
stranger:x:4343:4343::/home/stranger:/bin/bash
outsider:x:4444:4444::/home/outsider:/usr/sbin/nologin
"""
SUDOERS = """\
root ALL=(ALL:ALL) ALL
operator ALL=(ALL) NOPASSWD: ALL
stranger ALL=(ALL) ALL
"""
SSHD = """\
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin yes
PidFile none
UsePAM no
MaxStartups 1000
"""
# /run and /var/lib are its own, as are /etc and the homes; the first process is sshd, so that all ends with it.
BOOT = """
for place in etc root home; do mount --bind "$0/$place" "/$place" || exit 1; done
for place in run var/lib; do mount -t tmpfs tmpfs "/$place" || exit 1; done
mkdir /run/sshd || exit 1
exec /usr/sbin/sshd -D -E "$0/log" "$@"
"""


@frozen
class Keys:
    """Who logs in, and what the machines show; one pair for all of them."""

    user: Secret
    user_line: str
    host: Secret
    host_line: str


def new_keys() -> Keys:
    user, user_line = new_key_pair("tester")
    host, host_line = new_key_pair("machine")
    return Keys(user, user_line, host, host_line)


@define
class Machine:
    """One machine.  ``start`` returns when its sshd answers, ``stop`` when none of its processes is left."""

    home: Path
    address: str
    keys: Keys = Factory(new_keys)
    port: int = 22
    options: str = ""
    sudoers: str = SUDOERS
    files: dict[str, bytes] = Factory(dict)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def make(self) -> Machine:
        """Lay out what the machine's disk holds."""
        for name in ("etc/ssh", "etc/sudoers.d", "root", "home/operator", "home/stranger"):
            (self.home / name).mkdir(parents=True)
        self.home.chmod(0o755)
        etc = self.home / "etc"
        for name in NEEDED_OF_ETC.split():
            source = Path("/etc") / name
            if source.is_dir():
                shutil.copytree(source, etc / name, symlinks=True)
            elif source.exists():
                shutil.copy2(source, etc / name)
        (etc / "passwd").write_text(PASSWD)
        (etc / "shadow").write_text("".join(f"{line.split(':')[0]}:*:19000:0:99999:7:::\n" for line in PASSWD.split()))
        (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\noperator:x:4242:\nstranger:x:4343:\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")  # sudo looks its own name up
        (etc / "sudoers").write_text(self.sudoers)
        (etc / "sudoers").chmod(0o440)
        (etc / "ssh" / "authorized_keys").write_text(self.keys.user_line + "\n")
        (etc / "ssh" / "host_key").write_bytes(self.keys.host.reveal_bytes())
        (etc / "ssh" / "host_key").chmod(0o600)
        for path, content in self.files.items():
            (self.home / path).write_bytes(content)
            (self.home / path).chmod(0o600)
        for uid, name in ((4242, "operator"), (4343, "stranger")):
            os.chown(self.home / "home" / name, uid, uid)
        return self

    def start(self) -> Machine:
        listen = f"ListenAddress {self.address}:{self.port}\n"
        # sshd takes the first value that it reads for an option.
        (self.home / "etc" / "ssh" / "config").write_text(self.options + listen + SSHD)
        apart = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
        boot = ("sh", "-c", BOOT, str(self.home), "-f", "/etc/ssh/config")
        self.process = subprocess.Popen(["unshare", *apart, *boot])
        log = self.home / "log"

        def listens() -> bool | None:
            if self.process is None or self.process.poll() is not None:
                raise AssertionError(f"sshd did not start: {log.read_text() if log.exists() else ''}")
            return True if log.exists() and "listening on" in log.read_text() else None

        wait_until(listens, what="the start of sshd", timeout=30, interval=0.02)
        return self

    def stop(self) -> None:
        """As when the power is cut, but that its kernel still says that nobody listens."""
        if self.process is not None:
            first = self.first_process()
            if first is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(first, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            self.process = None
        (self.home / "log").unlink(missing_ok=True)

    def host(self, user: str = "root", **changes: object) -> SshHost:
        given = {"host": self.address, "port": self.port, "user": user, "key": self.keys.user}
        return SshHost(**{**given, "host_keys": (self.keys.host_line,), **changes})  # type: ignore[arg-type]

    def first_process(self) -> int | None:
        """The machine's sshd, by its number on this host."""
        assert self.process is not None
        return next(iter(children(self.process.pid)), None)

    def root(self) -> Path:
        """The machine's files as it sees them; for as long as it runs."""
        return Path(f"/proc/{self.first_process()}/root")

    def connections(self) -> list[int]:
        """The processes that hold the connections."""
        first = self.first_process()
        return [] if first is None else [pid for pid in descendants(first) if name_of(pid) == "sshd"]

    def runs(self, *command: str) -> bool:
        """Whether *command* is among the machine's processes."""
        first = self.first_process()
        return first is not None and any(words_of(pid) == list(command) for pid in descendants(first))

    def await_end_of(self, *command: str, timeout: float = 30.0) -> None:
        def ended() -> bool | None:
            return None if self.runs(*command) else True

        wait_until(ended, what=f"the end of {command}", timeout=timeout, interval=0.05)

    def await_run_of(self, *command: str) -> None:
        def runs() -> bool | None:
            return self.runs(*command) or None

        wait_until(runs, what=f"the start of {command}", timeout=30, interval=0.02)


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def descendants(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from descendants(child)


def words_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@contextmanager
def network() -> Iterator[None]:
    """This thread, and what it starts, in a fresh network namespace."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.unshare(syscalls.CLONE_NEWNET)
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        syscalls.setns(before, syscalls.CLONE_NEWNET)
        os.close(before)


def eventually(told: str, probe: object) -> None:
    """Wait until *probe* is true."""
    assert callable(probe)
    with contextlib.suppress(Unavailable):
        wait_until(lambda: probe() or None, what=told, timeout=30, interval=0.05)
        return
    raise AssertionError(f"{told} did not happen")
