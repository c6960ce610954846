"""What a machine's directory holds, and the files that make its root its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from kubo_sdk_local import cgroups
from kubo_sdk_local.records import MachineRecord

# overlayfs cannot carry another overlayfs's upper layer, and databases like a plain file system.
_PLAIN_DIRECTORIES = ("/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd")
# What kubelet wants to find, and would otherwise set on the host.
_KUBELET_SETTINGS = (
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
)
CAP_SYS_RESOURCE = 24


@frozen(kw_only=True)
class Paths:
    """Directories on the host; binds and settings as (host path, path in the machine)."""

    root: Path
    upper: Path
    work: Path
    binds: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]


def lay_out(directory: Path, record: MachineRecord, nameservers: Sequence[str]) -> Paths:
    """Make the directories and files of a machine; one that ran before keeps its own."""
    paths = Paths(
        root=directory / "root",
        upper=directory / "upper",
        work=directory / "work",
        binds=tuple((str(directory / "plain" / Path(name).name), name) for name in _PLAIN_DIRECTORIES),
        settings=tuple((str(directory / "settings" / name.replace("/", ".")), name) for name, _ in _KUBELET_SETTINGS),
    )
    first = not (directory / "init").exists()
    for path in (paths.root, paths.upper, paths.work):
        _make_directory(path)
    _make_directory(directory / "settings")
    for (source, _), (_, value) in zip(paths.settings, _KUBELET_SETTINGS, strict=True):
        Path(source).write_text(f"{value}\n")
    if first:
        for source, target in paths.binds:
            _make_like(Path(source), Path(record.stemcell + target))
        for name, text in own_files(record, nameservers, facts()).items():
            _write(paths.upper, Path(name), text)
    return paths


def own_files(record: MachineRecord, nameservers: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The files that part one machine from its stemcell, by path."""
    return {
        "etc/hostname": f"{record.slug}\n",
        "etc/machine-id": f"{record.serial}\n",
        "etc/hosts": f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{record.address} {record.slug}\n",
        "etc/resolv.conf": "".join(f"nameserver {server}\n" for server in nameservers),
        "etc/kubo/machine.env": "".join(f"{key}={value}\n" for key, value in known.items()),
    }


def facts() -> dict[str, str]:
    """What a machine on this host has to know about it."""
    return {
        "KUBO_LOCAL": "1",
        "KUBO_CGROUP": cgroups.version(cgroups.hierarchies()),
        "KUBO_RESTRICT_OOM": "0" if has_capability(CAP_SYS_RESOURCE) else "1",
    }


def has_capability(number: int) -> bool:
    """Whether this process has the capability of that number."""
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = next(line.split()[1] for line in lines if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> number & 1)


def _make_directory(path: Path) -> None:
    """Readable by the machine's users, whatever this process's umask is."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)


def _make_like(path: Path, pattern: Path) -> None:
    """Make the directory *path* with the owner and mode that *pattern* has in the stemcell."""
    _make_directory(path)
    if pattern.is_dir():
        there = pattern.stat()
        os.chown(path, there.st_uid, there.st_gid)
        path.chmod(there.st_mode & 0o7777)


def _write(top: Path, name: Path, text: str) -> None:
    for parent in reversed(name.parents[:-1]):
        _make_directory(top / parent)
    (top / name).write_text(text)
    (top / name).chmod(0o644)
