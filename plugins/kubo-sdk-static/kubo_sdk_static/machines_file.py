"""The machines file: which machines there are, how each is reached, and what it is good for.

::

    user: root                    # what holds for all; each machine may say otherwise
    key_file: id_ed25519          # relative paths start at this file
    jump: {host: 192.0.2.7, host_keys: [ssh-ed25519 AAAA...]}
    machines:
      - name: rack1-a
        address: 10.0.0.11
        host_keys: [ssh-ed25519 AAAA...]
        zone: z1
        rack: rack1
        labels: {disk: ssd}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from attrs import evolve, field, fields, frozen

from kubo_sdk.config.document import read_document
from kubo_sdk.config.place import locate
from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) AAAA[A-Za-z0-9+/]+={0,3}( .*)?")
_LAST_PORT = 65535
UNPINNED = (
    "must hold the machine's public host key; copy it from its /etc/ssh/ssh_host_ed25519_key.pub, or run "
    "kubo-static scan"
)


@frozen(kw_only=True)
class JumpHost:
    """The machine all others are reached through."""

    host: str
    host_keys: tuple[str, ...]
    port: int = 22
    user: str = "root"
    key_file: Path | None = None


@frozen(kw_only=True)
class Machine:
    """One machine.  ``address``: where other machines of a cluster reach it; ``host``: where SSH does, if elsewhere.

    ``host_keys`` are its public keys; nothing else is talked to.  Machines of one ``rack`` are likely to fail together.
    """

    name: str
    address: IPv4Address
    host: str = ""
    port: int | None = None
    user: str = ""
    key_file: Path | None = None
    host_keys: tuple[str, ...] = ()
    zone: str = "z1"
    rack: str = ""
    labels: Mapping[str, str] = field(factory=dict, hash=False)

    @property
    def reached_at(self) -> tuple[str, int]:
        """Host and port of its SSH server."""
        return self.host or str(self.address), self.port or 22


@frozen(kw_only=True)
class MachinesFile:
    """What the file says, each machine with what holds for all."""

    path: Path
    machines: tuple[Machine, ...]
    jump: JumpHost | None = None

    def find(self, name: str) -> Machine | None:
        """The machine of that name; None if there is none."""
        return next((machine for machine in self.machines if machine.name == name), None)


@frozen(kw_only=True)
class _Document:
    machines: tuple[Any, ...]
    user: str = "root"
    port: int = 22
    key_file: Path | None = None
    jump: JumpHost | None = None


_KEYS = tuple(field.name for field in fields(_Document))


def read_machines(path: Path, *, pinned: bool = True) -> MachinesFile:
    """Read the file.  ConfigError holds everything that is wrong with it, each with its line.

    With *pinned* a machine without host keys is wrong as well.
    """
    document, problems = read_document(path, is_spec=False)
    told, found = structure(_Document, document)
    entries = [_entry(item, index, document) for index, item in enumerate(_items(document))]
    problems = (*problems, *found, *(problem for _, wrong in entries for problem in wrong))
    good = {index: machine for index, (machine, _) in enumerate(entries) if machine is not None}
    # A key nobody knows is no reason to keep silent about the others.
    known = {key: value for key, value in document.items() if key in _KEYS}
    readable, _ = structure(_Document, document.replaced(known))
    meanings = [f"{locate(document, path)} {message}" for path, message in _meanings(readable, good, pinned)]
    everything = sorted((*problems, *meanings), key=_line)
    if everything or told is None:
        raise ConfigError(everything)
    return MachinesFile(
        path=path,
        machines=tuple(_complete(machine, told, path.parent) for machine in good.values()),
        jump=_jump(told, path.parent),
    )


def _items(document: Mapping[str, Any]) -> Sequence[Any]:
    found = document.get("machines")
    return found if isinstance(found, list) else ()


def _entry(item: Any, index: int, document: Mapping[str, Any]) -> tuple[Machine | None, tuple[str, ...]]:
    if not isinstance(item, Mapping):
        place = locate(document, ("machines", index))
        return None, (f"{place} must be a mapping with name and address",)
    return structure(Machine, item, f"machines[{index}]")


_Path = tuple[str | int, ...]


def _meanings(told: _Document | None, machines: Mapping[int, Machine], pinned: bool) -> Iterator[tuple[_Path, str]]:
    """What is wrong though its type is right."""
    if told is not None and not told.machines:
        yield ("machines",), "must list at least one machine"
    if told is not None:
        yield from _port_problems(("port",), told.port)
    if told is not None and told.jump is not None:
        yield from (((("jump", *path)), message) for path, message in _key_problems(told.jump.host_keys, pinned=True))
        yield from _port_problems(("jump", "port"), told.jump.port)
    for index, machine in machines.items():
        yield from (((("machines", index, *path)), message) for path, message in _problems(machine, pinned))
    yield from _twins(machines)


def _problems(machine: Machine, pinned: bool) -> Iterator[tuple[_Path, str]]:
    if not _NAME.fullmatch(machine.name):
        yield ("name",), f"must be a name of small letters, digits and dashes, not {machine.name!r}"
    if machine.address.is_loopback or machine.address.is_unspecified or machine.address.is_multicast:
        yield ("address",), f"must be where other machines reach it, which {machine.address} is not"
    if not machine.zone:
        yield ("zone",), "must not be empty; leave it out for z1"
    yield from _port_problems(("port",), machine.port)
    yield from _key_problems(machine.host_keys, pinned)


def _port_problems(path: _Path, port: int | None) -> Iterator[tuple[_Path, str]]:
    if port is not None and not 1 <= port <= _LAST_PORT:
        yield path, f"must be a port from 1 to {_LAST_PORT}, not {port}"


def _key_problems(keys: tuple[str, ...], pinned: bool) -> Iterator[tuple[_Path, str]]:
    if not keys and pinned:
        yield ("host_keys",), UNPINNED
    for number, key in enumerate(keys):
        if not _HOST_KEY.fullmatch(key):
            yield ("host_keys", number), f"must be a public key such as 'ssh-ed25519 AAAA...', not {key[:30]!r}"


def _twins(machines: Mapping[int, Machine]) -> Iterator[tuple[_Path, str]]:
    """Machines that are one and the same, or that nobody could tell apart."""
    reached: dict[object, int] = {}
    for index, machine in machines.items():
        for key, shown, value in (
            ("name", machine.name, ("name", machine.name)),
            ("address", str(machine.address), ("address", machine.address)),
            ("host", ":".join(map(str, machine.reached_at)), ("host", machine.reached_at)),
        ):
            first = reached.setdefault(value, index)
            if first != index and (key != "host" or machine.host):
                yield ("machines", index, key), f"must be its own: machines[{first}] has {shown} already"


def _complete(machine: Machine, told: _Document, home: Path) -> Machine:
    key_file = machine.key_file or told.key_file
    return evolve(
        machine,
        user=machine.user or told.user,
        port=machine.port or told.port,
        key_file=None if key_file is None else (home / key_file).absolute(),
    )


def _jump(told: _Document, home: Path) -> JumpHost | None:
    if told.jump is None:
        return None
    key_file = told.jump.key_file or told.key_file
    return evolve(told.jump, key_file=None if key_file is None else (home / key_file).absolute())


def _line(problem: str) -> int:
    """The line a problem names."""
    found = re.match(r".*?:(\d+): ", problem)
    return int(found[1]) if found else 0
