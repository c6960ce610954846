"""Residue: everything on this host that a cluster could leave behind, as a set of lines to compare."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from kubo_sdk_local.layout import Layout

from .site import Site

MARK = "kubo"


def residue(site: Site) -> frozenset[str]:
    """Processes, mounts, cgroups, links, rules, namespaces and files that belong to *site* or to kubo_sdk.

    What carries another site's names is left out, so that suites can run beside each other.
    """
    return frozenset(
        [*_processes(site), *_mounts(site), *_cgroups(site), *_network(site), *_namespaces(), *_files(site)]
    )


def _processes(site: Site) -> Iterator[str]:
    """Processes whose network namespace is the site's, or whose root or command names its directory."""
    wanted = Path(f"/run/netns/{site.netns}").stat().st_ino
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            inside = (entry / "ns/net").stat().st_ino == wanted
        except OSError:
            continue
        if inside or (str(site.home) in command and "pytest" not in command):
            yield f"process {command}"


def _mounts(site: Site) -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if str(site.home) in line:
            yield f"mount {line.split()[4]}"


def _cgroups(site: Site) -> Iterator[str]:
    """The cgroups of the site's clusters carry the mark of its root directory."""
    mark = Layout((site.home / "local").resolve()).mark
    for path in Path("/sys/fs/cgroup").glob(f"**/kubo/{mark}*"):
        yield f"cgroup {path}"


def _network(site: Site) -> Iterator[str]:
    for command in (["ip", "-o", "link"], ["ip", "route"], ["iptables-save"], ["nft", "list", "ruleset"]):
        output = subprocess.run(site.command(*command), capture_output=True, text=True, check=True).stdout
        for line in output.splitlines():
            # Counters, dates and link indexes change by themselves.
            if line and not line.startswith("#"):
                yield f"{command[0]} {line.partition(': ')[2] or line}"


def _namespaces() -> Iterator[str]:
    for path in Path("/run/netns").glob("*"):
        if MARK in path.name and "e2e" not in path.name:
            yield f"namespace {path}"


def _files(site: Site) -> Iterator[str]:
    for path in site.home.rglob("*"):
        if path.suffix != ".yml":
            yield f"file {path}"
