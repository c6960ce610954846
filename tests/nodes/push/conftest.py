"""A machine to push to: this host's own root under an overlay, entered by chroot, with a stand-in for systemd.

The shell, tar and all other programs are the real ones.  The stand-in answers as systemd does where it matters:
starting what runs changes nothing, restarting makes it read its files again.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from attrs import field, frozen

from kubo_sdk.model.secret import Secret
from kubo_sdk.nodes.manifest import NodeManifest, manifest
from kubo_sdk.ports.node import NodeFile, StartAfter, Unit
from kubo_sdk.ports.shell import Outcome

# A unit "runs with" the files it was last started with.
SYSTEMCTL = """\
#!/bin/sh
verb= names=
for word; do case $word in -*) ;; *) if [ -z "$verb" ]; then verb=$word; else names="$names $word"; fi ;; esac; done
echo "$verb$names" >>/machine/asked
for name in $names; do
  case $verb in
    list-units) if [ -e "/machine/loaded/$name" ]; then echo "$name"; fi ;;
    start) if [ ! -e "/machine/running/$name" ]; then cat "/etc/systemd/system/$name" "/etc/demo/$name.conf"
             fi >"/machine/new"; if [ -s /machine/new ]; then cp /machine/new "/machine/running/$name"; fi ;;
    restart) cat "/etc/systemd/system/$name" "/etc/demo/$name.conf" >"/machine/running/$name" ;;
    stop) rm -f "/machine/running/$name" ;;
  esac
done
"""
SYSUSERS = """\
#!/bin/sh
for file; do read -r _ name _ <"$file"; echo "$name:x:4242:4242::/:/bin/false" >>/etc/passwd; done
"""
# Stands before every program: at the n-th call of all, what called it dies with it, before or after the program ran.
SHIM = """\
#!/bin/sh
read -r left when </machine/left
if [ "$left$when" = 0before ]; then kill -9 0; fi
echo "$((left - 1)) $when" >/machine/left
{program} "$@"
code=$?
if [ "$left$when" = 0after ]; then kill -9 0; fi
exit $code
"""
PROGRAMS = ("tar", "mkdir", "rm", "mv", "cp", "chown", "ln", "systemctl", "systemd-sysusers")
FOR_EVER = 10_000


@frozen
class Machine:
    """A `Shell` onto the overlay at *root*.  ``commands`` holds every command line that was run."""

    root: Path
    commands: list[Sequence[str]] = field(factory=list)

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        self.commands.append(tuple(command))
        done = subprocess.run(
            ["chroot", str(self.root), *command],
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
            start_new_session=True,
            env={"PATH": "/machine/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        return Outcome(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def interact(self, command: Sequence[str]) -> int:
        raise NotImplementedError

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str:
        return self.path(path).read_text()

    def running(self) -> dict[str, str]:
        """What every running unit was started with."""
        return {file.name: file.read_text() for file in self.path("/machine/running").iterdir()}

    def asked(self) -> list[str]:
        """What systemd was asked since the last time this was called, looking not counted."""
        file = self.path("/machine/asked")
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith("list-units")]

    def die_at(self, call: int, when: str = "before") -> None:
        """Die before, or after, the program that is called once *call* others were."""
        self.path("/machine/left").write_text(f"{call} {when}\n")

    def calls(self) -> int:
        """How many programs were run since `die_at` (FOR_EVER)."""
        return FOR_EVER - int(self.read("/machine/left").split()[0])

    def crash_daemons(self) -> None:
        """Every daemon dies and systemd starts it again, with the files that lie there now."""
        for running in self.path("/machine/running").iterdir():
            files = [self.path(f"/etc/systemd/system/{running.name}"), self.path(f"/etc/demo/{running.name}.conf")]
            if all(file.exists() for file in files):
                running.write_text("".join(file.read_text() for file in files))


@contextmanager
def booted(place: Path) -> Iterator[Machine]:
    """A machine whose systemd is up, below *place*.  Nothing of it is left behind."""
    place.mkdir(parents=True)
    with ExitStack() as undo:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], check=True)
        undo.callback(subprocess.run, ["umount", "--lazy", str(place)], check=True)
        upper, work, root = (place / name for name in ("upper", "work", "root"))
        for directory in (upper, work, root):
            directory.mkdir()
        options = f"lowerdir=/,upperdir={upper},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)], check=True)
        undo.callback(subprocess.run, ["umount", "--lazy", str(root)], check=True)
        machine = Machine(root)
        _furnish(machine)
        yield machine


def _furnish(machine: Machine) -> None:
    for directory in ("running", "loaded", "bin", "real"):
        machine.path(f"/machine/{directory}").mkdir(parents=True)
    machine.path("/dev/null").touch()
    machine.path("/dev/null").chmod(0o666)
    for name, text in (("systemctl", SYSTEMCTL), ("systemd-sysusers", SYSUSERS)):
        _program(machine.path(f"/machine/real/{name}"), text)
    for name in PROGRAMS:
        real = f"/machine/real/{name}" if machine.path(f"/machine/real/{name}").exists() else f"/usr/bin/{name}"
        _program(machine.path(f"/machine/bin/{name}"), SHIM.format(program=real))
    machine.die_at(FOR_EVER)
    with socket.socket(socket.AF_UNIX) as listener:
        socket_directory = machine.path("/run/systemd")
        socket_directory.mkdir(parents=True, exist_ok=True)
        (socket_directory / "private").unlink(missing_ok=True)
        descriptor = os.open(socket_directory, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{descriptor}/private")
        os.close(descriptor)


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine nothing was put on."""
    with booted(tmp_path / "machine") as found:
        yield found


@pytest.fixture
def machines(tmp_path: Path) -> Callable[[str], object]:
    """``with machines("name") as machine``: as many machines as a test wants, one after the other."""
    return lambda name: booted(tmp_path / name)


def daemon(name: str, config: str, *, after: StartAfter = StartAfter.BOOT) -> tuple[NodeFile, Unit]:
    """A unit with one secret file of its own account."""
    path = f"/etc/demo/{name}.conf"
    text = f"[Service]\nExecStart=/bin/{name}\n\n[Install]\nWantedBy=multi-user.target\n"
    return (
        NodeFile(path=path, content=Secret(config), mode=0o600, owner="demo"),
        Unit(name=name, text=text, restart_on=(path,), start_after=after),
    )


@pytest.fixture
def demo() -> Callable[..., NodeManifest]:
    """``demo({"a.service": "content"}, late={"b.service": "content"}, more=(file,))``."""

    def make(
        early: dict[str, str], late: dict[str, str] | None = None, more: tuple[NodeFile, ...] = ()
    ) -> NodeManifest:
        account = NodeFile(path="/etc/sysusers.d/demo.conf", content="u demo -\n")
        pairs = [daemon(name, config) for name, config in early.items()]
        pairs += [daemon(name, config, after=StartAfter.API) for name, config in (late or {}).items()]
        return manifest((account, *(file for file, _ in pairs), *more), tuple(unit for _, unit in pairs))

    return make
