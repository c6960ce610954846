"""Flannel's iptables rules: masquerade what leaves the pod network, let through what moves inside it.

A check compares what iptables shows with what it showed right after the agent's own write, so that its way to spell
a rule does not matter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from ipaddress import IPv4Network

_POSTROUTING, _FORWARD = "FLANNEL-POSTRTG", "FLANNEL-FWD"
_MASQUERADE, _ACCEPT = '-m comment --comment "flanneld masq"', '-m comment --comment "flanneld forward"'
_JUMPS = {"nat": f"POSTROUTING {_MASQUERADE} -j {_POSTROUTING}", "filter": f"FORWARD {_ACCEPT} -j {_FORWARD}"}
_CHAINS = {"nat": _POSTROUTING, "filter": _FORWARD}
_TIMEOUT = 30.0


class FirewallTrouble(Exception):
    """iptables did not do it.  One sentence."""


class Firewall:
    """The rules of one node in this network namespace."""

    def __init__(self, network: IPv4Network) -> None:
        self._network = network
        self._random = " --random-fully"
        self._written: tuple[str, ...] = ()
        self._subnet: IPv4Network | None = None

    def write(self, subnet: IPv4Network) -> None:
        """Bring both chains to their wished content, and their jumps into place.  Raises FirewallTrouble."""
        present = _show()
        try:
            _restore(self._script(subnet, present))
        except FirewallTrouble:
            if not self._random:
                raise
            self._random = ""  # an old kernel or iptables
            _restore(self._script(subnet, present))
        self._written, self._subnet = _show(), subnet

    def check(self, subnet: IPv4Network) -> bool:
        """Put back what somebody took away; whether that was needed.  Raises FirewallTrouble."""
        if subnet == self._subnet and self._written == _show():
            return False
        self.write(subnet)
        return True

    def _script(self, subnet: IPv4Network, present: tuple[str, ...]) -> str:
        rules = {"nat": masquerade_rules(self._network, subnet, self._random), "filter": forward_rules(self._network)}
        lines: list[str] = []
        for table, chain in _CHAINS.items():
            # naming a chain empties it, and the whole table changes at once
            lines += [f"*{table}", f":{chain} - [0:0]"]
            if not any(line.endswith(f"-j {chain}") for line in present):
                lines.append(f"-A {_JUMPS[table]}")
            lines += [f"-A {chain} {rule}" for rule in rules[table]]
            lines.append("COMMIT")
        return "\n".join(lines) + "\n"


def announces_changes() -> bool:
    """Whether the kernel tells when rules change: nftables does, the legacy tables do not."""
    program = shutil.which("iptables-restore")
    return program is not None and "legacy" not in os.path.realpath(program)


def masquerade_rules(network: IPv4Network, subnet: IPv4Network, random: str = "") -> tuple[str, ...]:
    """The rules of FLANNEL-POSTRTG, in flannel's order."""
    return tuple(
        f"{match}{_MASQUERADE} -j {verdict}"
        for match, verdict in (
            ("-m mark --mark 0x4000/0x4000 ", "RETURN"),
            (f"-s {subnet} -d {network} ", "RETURN"),
            (f"-s {network} -d {subnet} ", "RETURN"),
            (f"! -s {network} -d {subnet} ", "RETURN"),
            (f"-s {network} ! -d 224.0.0.0/4 ", f"MASQUERADE{random}"),
            (f"! -s {network} -d {network} ", f"MASQUERADE{random}"),
        )
    )


def forward_rules(network: IPv4Network) -> tuple[str, ...]:
    """The rules of FLANNEL-FWD."""
    return tuple(f"{match} {_ACCEPT} -j ACCEPT" for match in (f"-s {network}", f"-d {network}"))


def _show() -> tuple[str, ...]:
    """The rules of our chains and the jumps to them, as iptables spells them."""
    return tuple(line for line in _run(["iptables-save"], "").splitlines() if line.startswith("-A ") and _is_ours(line))


def _is_ours(rule: str) -> bool:
    return any(rule.startswith(f"-A {chain} ") or rule.endswith(f" -j {chain}") for chain in _CHAINS.values())


def _restore(script: str) -> None:
    _run(["iptables-restore", "--noflush", "--wait", "5"], script)


def _run(command: list[str], script: str) -> str:
    try:
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FirewallTrouble(f"{command[0]} cannot run: {error}") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise FirewallTrouble(f"{command[0]} failed with exit code {done.returncode}: {reason}")
    return done.stdout
