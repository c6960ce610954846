"""Security groups, kept by the kernel: what no rule of a machine's groups lets in does not arrive.

The rules stand in the machine's own network namespace, for the bridge outside cannot tell what answers what.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from kubo_sdk.errors import KuboError

from .machines import Machines


@frozen(kw_only=True)
class Opening:
    """One rule of a group: *protocol* (tcp, udp, icmp or -1 for all) at ports *first* to *last* from *sources*."""

    protocol: str
    first: int | None
    last: int | None
    sources: tuple[str, ...]


class Firewall:
    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        # What stands on each machine, and since which of its boots.
        self._standing: dict[str, tuple[int, str]] = {}

    def follow(self, openings: Mapping[str, tuple[Opening, ...]]) -> None:
        """*openings* of the groups of each instance; one that is going has none any more."""
        for instance in openings:
            if not self._machines.is_running(instance):
                continue
            wanted = (self._machines.boots[instance], rules(openings[instance]))
            if self._standing.get(instance) != wanted:
                done = self._machines.shell(instance).run(["nft", "-f", "-"], stdin=wanted[1].encode())
                if done.exit_code:
                    raise KuboError(f"the security groups of {instance}: {done.stderr.decode()}\n{wanted[1]}")
                self._standing[instance] = wanted


def rules(openings: tuple[Opening, ...]) -> str:
    """One machine's rules for nft.  Pure.  They come before a Service's port becomes that of a pod."""
    accepted = sorted({line for opening in openings for line in _lines(opening)})
    return "\n".join(
        [
            "table ip box {}",
            "delete table ip box",
            "table ip box {",
            " chain arriving {",
            "  type filter hook prerouting priority -150; policy accept;",
            '  iifname != "eth0" accept',
            "  ct state established,related accept",
            *(f"  {line}" for line in accepted),
            "  drop",
            " }",
            "}",
            "",
        ]
    )


def _lines(opening: Opening) -> list[str]:
    if not opening.sources:
        return []
    source = f"ip saddr {{ {', '.join(sorted(opening.sources))} }}"
    if opening.protocol == "-1":
        return [f"{source} accept"]
    if opening.protocol == "icmp":
        return [f"{source} ip protocol icmp accept"]
    return [f"{source} {opening.protocol} dport {opening.first}-{opening.last} accept"]
