"""What machines leave on a host: a listing to take before and after, where the difference must be empty.

::

    before = snapshot(root)
    ...
    assert snapshot(root) - before == frozenset()
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from kubo_sdk_local import cgroups
from kubo_sdk_local.config import DEFAULT_ROOT
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.netlink import Netlink

_SETTINGS = (
    "fs/inotify/max_user_instances",
    "fs/inotify/max_user_watches",
    "fs/nr_open",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
)


def snapshot(root: Path | None = None) -> frozenset[str]:
    """Processes, namespaces, mounts, cgroups, links, packet filter rules, settings and files: a line for each.

    With *root* only what belongs to the machines below that directory, so others may work beside; without it all of
    this host, whose other changes then show as well.  Links and rules are those of this network namespace.
    """
    mark = Layout(root.resolve()).mark if root else ""
    needle = str(root.resolve()) if root else ""
    return frozenset(
        [
            *_processes(needle),
            *_mounts(needle),
            *_cgroups(mark),
            *_links(mark),
            *_rules(f"kubo-{mark}" if mark else ""),
            *(_settings() if root is None else ()),
            *_files(root or DEFAULT_ROOT),
        ]
    )


def _processes(needle: str) -> Iterator[str]:
    """With a needle: those that see a mount, or hold a file, below it.  Kernel threads never."""
    seen: dict[str, bool] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            mounts = str((process / "ns/mnt").readlink())
            if mounts not in seen:
                seen[mounts] = needle in (process / "mountinfo").read_text()
            if not (process / "cmdline").read_bytes() or not (seen[mounts] or _holds(process, needle)):
                continue
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            name = (process / "comm").read_text().strip()
            yield f"process {process.name} {name} started {fields[19]}"
            if not needle or seen[mounts]:
                yield from (f"namespace {(process / 'ns' / kind).readlink()}" for kind in ("net", "pid", "mnt"))
        except OSError:
            continue  # It ended while it was looked at.


def _holds(process: Path, needle: str) -> bool:
    if int(process.name) == os.getpid():
        return False
    return any(str(file.readlink()).startswith(needle) for file in (process / "fd").iterdir())


def _mounts(needle: str) -> Iterator[str]:
    for line in Path("/proc/thread-self/mountinfo").read_text().splitlines():
        if needle in line:
            yield f"mount {line.partition(' ')[2]}"


def _cgroups(mark: str) -> Iterator[str]:
    for top, _ in cgroups.hierarchies():
        for cluster in Path(top, cgroups.PARENT).glob(f"{mark}*"):
            yield from (f"cgroup {directory}" for directory, _, _ in os.walk(cluster))


def _links(mark: str) -> Iterator[str]:
    with Netlink() as netlink:
        yield from (
            f"link {name}" for name in netlink.links() if not mark or name.startswith((f"kb-{mark}", f"kv{mark}"))
        )


def _rules(needle: str) -> Iterator[str]:
    for command in (["nft", "--stateless", "list", "ruleset"], ["iptables-save"]):
        if shutil.which(command[0]):
            listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            for line in listed.splitlines():
                if needle in line and not line.startswith(("#", ":")):
                    yield f"rule {command[0]} {line.strip()}"


def _settings() -> Iterator[str]:
    for name in _SETTINGS:
        path = Path("/proc/sys") / name
        if path.exists():
            yield f"setting {name} = {path.read_text().strip()}"


def _files(root: Path) -> Iterator[str]:
    for directory, _, names in os.walk(root):
        yield f"file {directory}"
        yield from (f"file {directory}/{name}" for name in names)
