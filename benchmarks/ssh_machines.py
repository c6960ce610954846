"""Machines for benchmarks/ssh: each is Debian's own sshd in namespaces of its own, behind a wire that counts turns.

A machine has its own /etc, /root, /run, /tmp and /var/lib, and listens on an address of 127.0.0.0/8 in the network
namespace of the benchmark.  All of it is in memory, so that no side waits for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field, frozen

from kubo_sdk.model.secret import Secret
from kubo_sdk.ssh import SshHost, new_key_pair

PASSWD = "root:x:0:0:root:/root:/bin/bash\nsshd:x:110:65534::/run/sshd:/usr/sbin/nologin\n"
SSHD = """\
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin yes
PidFile none
UsePAM no
MaxStartups 1000
Subsystem sftp internal-sftp
"""
NEEDED_OF_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "login.defs", "nsswitch.conf", "shells")
BOOT = """
mount --bind "$0" /etc || exit 1
for place in root run tmp var/lib; do mount -t tmpfs tmpfs "/$place" || exit 1; done
mkdir -p /run/sshd && chmod 1777 /tmp || exit 1
exec /usr/sbin/sshd -D -o ListenAddress="$1":22 -f /etc/ssh/config
"""
APART = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
START_SECONDS = 60.0


@frozen(kw_only=True)
class Farm:
    """``count`` machines that show the same host key and let the same key in."""

    home: Path
    count: int
    user: Secret
    host_line: str

    def address(self, number: int) -> str:
        return f"127.0.{1 + number // 200}.{1 + number % 200}"

    def host(self, number: int, port: int = 22) -> SshHost:
        """How machine *number* is entered: directly, or by the wire that listens on *port*."""
        address = self.address(number) if port == 22 else "127.0.0.1"
        return SshHost(host=address, port=port, key=self.user, host_keys=(self.host_line,), name=f"machine {number}")


@contextmanager
def farm(home: Path, count: int) -> Iterator[Farm]:
    """The machines, which are gone after the block.  They live in the network namespace of the caller."""
    user, user_line = new_key_pair("benchmark")
    key, host_line = new_key_pair("machine")
    etc = home / "etc"
    (etc / "ssh").mkdir(parents=True)
    for name in NEEDED_OF_ETC:
        _copied(Path("/etc") / name, etc / name)
    (etc / "passwd").write_text(PASSWD)
    (etc / "shadow").write_text("root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n")
    (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (etc / "ssh" / "config").write_text(SSHD)
    (etc / "ssh" / "authorized_keys").write_text(f"{user_line}\n")
    (etc / "ssh" / "host_key").touch(mode=0o600)
    (etc / "ssh" / "host_key").write_bytes(key.reveal_bytes())
    made = Farm(home=home, count=count, user=user, host_line=host_line)
    running = [
        subprocess.Popen(["unshare", *APART, "sh", "-c", BOOT, str(etc), made.address(number)])
        for number in range(count)
    ]
    try:
        for number in range(count):
            _await_port(made.address(number))
        yield made
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def _copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    elif source.exists():
        shutil.copy2(source, target)


def _await_port(address: str) -> None:
    ends = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection((address, 22), timeout=5).close()
            return
        if time.monotonic() > ends:
            raise SystemExit(f"the sshd on {address} did not start within {START_SECONDS:g} s")
        time.sleep(0.02)


@define
class Wires:
    """One port for each machine that hands everything on to it, and counts how often the line is turned around.

    A turn is the first thing that the caller sends after the machine has sent something: what it could not send without
    having heard that, or did not.  So the number of turns is at least that of the round trips.  Each answer is
    ``delay`` seconds on its way: how much longer all takes then, tells how many answers were waited for in a row.
    """

    farm: Farm
    delay: float = 0.0
    ports: list[int] = field(factory=list)
    turns: int = 0
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop)

    def __enter__(self) -> Wires:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.ports = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _end(self) -> None:
        carrying = asyncio.all_tasks() - {asyncio.current_task()}
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    async def _listen(self) -> list[int]:
        ports = []
        for number in range(self.farm.count):
            address = self.farm.address(number)

            async def carry(
                near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter, address: str = address
            ) -> None:
                far_in, far_out = await asyncio.open_connection(address, 22)
                heard = [False]
                with contextlib.suppress(asyncio.CancelledError):  # by `_end`
                    await asyncio.gather(self._there(near_in, far_out, heard), self._back(far_in, near_out, heard))

            server = await asyncio.start_server(carry, "127.0.0.1", 0)
            ports.append(int(server.sockets[0].getsockname()[1]))
        return ports

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[bool]) -> None:
        with contextlib.suppress(OSError):
            while sent := await reader.read(1 << 16):
                self.turns += heard[0]
                heard[0] = False
                writer.write(sent)
                await writer.drain()
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[bool]) -> None:
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        clock = asyncio.get_running_loop().time

        async def arrive() -> None:
            while True:
                due, answer = await on_the_way.get()
                await asyncio.sleep(due - clock())
                if not answer:
                    return
                heard[0] = True
                writer.write(answer)
                await writer.drain()

        arriving = asyncio.ensure_future(arrive())
        with contextlib.suppress(OSError):
            while answer := await reader.read(1 << 16):
                on_the_way.put_nowait((clock() + self.delay, answer))
        on_the_way.put_nowait((clock() + self.delay, b""))
        with contextlib.suppress(OSError):
            await arriving
        writer.close()
