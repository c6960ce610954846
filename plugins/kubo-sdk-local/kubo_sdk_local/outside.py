"""The packet filter rules that a cluster needs on the host: masquerading, and getting past a closed FORWARD chain.

Masquerading is a table of nftables' own, made with the stemcell's ``nft`` where the host has none.  Where the host's
iptables drops what it forwards, as container engines make it do, bridged frames are dropped too: the cluster's bridge
is then let through with the host's own iptables.  Nothing is changed where neither is the case.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from kubo_sdk.errors import HostError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.records import ClusterRecord

_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


def nameservers(files: Sequence[Path] = _RESOLVERS) -> tuple[str, ...]:
    """The name servers of this host that a machine can reach too: not those on the host's loopback."""
    for path in files:
        if path.is_file():
            words = [line.split() for line in path.read_text().splitlines()]
            servers = [line[1].partition("%")[0] for line in words if len(line) > 1 and line[0] == "nameserver"]
            usable = tuple(server for server in servers if not ip_address(server).is_loopback)
            if usable:
                return usable
    return ()


def ensure_rules(layout: Layout, cluster: ClusterId, record: ClusterRecord, stemcell: Path) -> None:
    """Put the rules of the cluster in place."""
    remove_rules(layout, cluster, record, stemcell)
    if record.outside:
        _nft(stemcell, _masquerade(layout.table(cluster), str(record.subnet)))
    if _drops_forwarded():
        for rule in _acceptance(layout, cluster):
            _iptables("-I", *rule)


def remove_rules(layout: Layout, cluster: ClusterId, record: ClusterRecord | None, stemcell: Path) -> None:
    """Remove them; those that are absent are fine."""
    if record is not None and record.outside:
        table = layout.table(cluster)
        _nft(stemcell, f"table ip {table} {{}}\ndelete table ip {table}\n")
    if shutil.which("iptables"):
        for rule in _acceptance(layout, cluster):
            while _iptables("-C", *rule, may_fail=True):
                _iptables("-D", *rule)


def _masquerade(table: str, subnet: str) -> str:
    return f"""\
table ip {table} {{
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        ip saddr {subnet} ip daddr != {subnet} masquerade
    }}
}}
"""


def _acceptance(layout: Layout, cluster: ClusterId) -> tuple[tuple[str, ...], ...]:
    comment = ("-m", "comment", "--comment", layout.table(cluster), "-j", "ACCEPT")
    return tuple(("FORWARD", side, layout.bridge(cluster), *comment) for side in ("-i", "-o"))


def _drops_forwarded() -> bool:
    if shutil.which("iptables") is None:
        return False
    done = subprocess.run(["iptables", "-w", "-S", "FORWARD"], capture_output=True, text=True, check=False)
    return "-P FORWARD DROP" in done.stdout


def _iptables(*arguments: str, may_fail: bool = False) -> bool:
    done = subprocess.run(["iptables", "-w", *arguments], capture_output=True, text=True, check=False)
    if done.returncode and not may_fail:
        raise HostError(f"iptables {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.returncode == 0


def _nft(stemcell: Path, rules: str) -> None:
    program = ["nft"] if shutil.which("nft") else ["chroot", str(stemcell), "nft"]
    done = subprocess.run([*program, "-f", "-"], input=rules, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise HostError(f"this host takes no masquerading rules ({lines[0]}); its kernel needs nf_tables and nft_masq")
