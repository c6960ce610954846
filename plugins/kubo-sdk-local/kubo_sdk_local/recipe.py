"""What a stemcell is made of: packages, mirrors, and what is changed after they are unpacked."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from kubo_sdk.errors import HostError

VERSION = 1
SUITE = "bookworm"
_SUITES = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
_PACKAGES = (
    "ca-certificates", "conntrack", "containerd", "containernetworking-plugins", "curl", "dbus", "ebtables",
    "etcd-client", "etcd-server", "ethtool", "haproxy", "iproute2", "iptables", "iputils-ping", "kmod", "nftables",
    "openssh-server", "pdns-backend-remote", "pdns-backend-sqlite3", "pdns-recursor", "pdns-server", "procps",
    "python3", "runc", "socat", "systemd", "systemd-sysv",
)  # fmt: skip
DPKG_OPTIONS = (
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/doc/*/copyright",
)
# The only units a machine starts by itself; the core brings the rest.
_STARTED = frozenset(
    {
        "systemd-journald.service",
        "systemd-journald.socket",
        "systemd-journald-dev-log.socket",
        "dbus.socket",
    }
)
# Debian's units of daemons that the core runs with units of its own, perhaps under the same names.
_DAEMONS = ("containerd", "etcd", "etcd2", "haproxy", "pdns", "pdns-recursor", "ssh", "ssh@", "sshd")
_SYSTEM_CONF = """\
[Manager]
LogLevel=notice
ShowStatus=no
DefaultLimitNOFILE=1024:1048576
DefaultTasksMax=infinity
DefaultTimeoutStopSec=30s
"""
_JOURNALD_CONF = """\
[Journal]
Storage=volatile
RuntimeMaxUse=32M
RateLimitIntervalSec=0
Audit=no
ReadKMsg=no
ForwardToWall=no
"""


def packages(extra: Iterable[str]) -> tuple[str, ...]:
    """Every package asked for by name, sorted."""
    return tuple(sorted({*_PACKAGES, *extra}))


def debian_sources() -> tuple[str, ...]:
    """One apt source line for each suite of Debian that this host's own apt is set up for.

    HostError when it knows no mirror of the suite.
    """
    try:
        done = subprocess.run(["apt-get", "indextargets"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise HostError(f"the stemcell needs Debian's apt on this host: {error}") from error
    found = parse_targets(done.stdout)
    if not any(f" {SUITE} main" in line for line in found):
        raise HostError(
            f"this host's apt has no mirror of Debian {SUITE}, which the stemcell is made of; "
            f"add one to /etc/apt/sources.list.d"
        )
    return found


def parse_targets(listing: str) -> tuple[str, ...]:
    """The source lines in the output of ``apt-get indextargets``; third parties that borrow a suite's name are not."""
    found = set()
    for stanza in listing.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        if fields.get("Created-By") != "Packages" or fields.get("Component") != "main":
            continue
        release = re.fullmatch(r".*/dists/([^/]+)/", fields.get("Base-URI", ""))
        if release and release[1] in _SUITES and _is_debian(fields):
            found.add(f"deb {fields['Repo-URI']} {release[1]} main")
    return tuple(sorted(found))


def _is_debian(fields: dict[str, str]) -> bool:
    """The origin is known only after ``apt-get update``; before that the mirror's path has to tell."""
    return fields.get("Origin", "Debian") == "Debian" and "debian" in fields.get("Repo-URI", "")


def customize(tree: Path) -> None:
    """Make a machine's stemcell out of a plain Debian tree."""
    for command in (
        ("groupadd", "--system", "kube"),
        ("useradd", "--system", "--gid", "kube", "--home-dir", "/var/lib/kubo", "--no-create-home",
         "--shell", "/usr/sbin/nologin", "kube"),
    ):  # fmt: skip
        subprocess.run(["chroot", str(tree), *command], check=True, capture_output=True)
    for name in ("opt/kubo/releases", "var/lib/kubo", "etc/kubo", "var/lib/containerd", "var/lib/kubelet"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    _still_units(tree)
    _replace(tree / "etc/systemd/system.conf.d/kubo.conf", _SYSTEM_CONF)
    _replace(tree / "etc/systemd/journald.conf.d/kubo.conf", _JOURNALD_CONF)
    _forget_the_builder(tree)


def _still_units(tree: Path) -> None:
    """Keep everything from starting by itself but what `_STARTED` names."""
    for top in ("usr/lib/systemd/system", "etc/systemd/system"):
        for wants in (tree / top).glob("*.wants"):
            for link in wants.iterdir():
                if link.name not in _STARTED:
                    link.unlink()
        for name in _DAEMONS:
            (tree / top / f"{name}.service").unlink(missing_ok=True)
            (tree / top / f"{name}.socket").unlink(missing_ok=True)
    # Each would run at every boot and every daemon-reload, to look at what a machine does not have.
    for generator in (tree / "usr/lib/systemd/system-generators").iterdir():
        generator.unlink()
    default = tree / "etc/systemd/system/default.target"
    default.unlink(missing_ok=True)
    default.symlink_to("/lib/systemd/system/multi-user.target")


def _forget_the_builder(tree: Path) -> None:
    """Remove what must differ between machines, and what came from this host."""
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for name in ("etc/hostname", "etc/resolv.conf", "etc/hosts"):
        (tree / name).unlink(missing_ok=True)
    (tree / "etc/machine-id").write_text("")
    shutil.rmtree(tree / "var/log/apt", ignore_errors=True)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
