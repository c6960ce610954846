"""Beats: which kubelets still renew the leases of their Nodes.

A Node stays Ready for 40 s after its kubelet has fallen silent, so of a machine that does not answer it says little.
Leases carry the times of other clocks: only that one has changed counts, and since when it has not by ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import define, field

# A kubelet renews its lease every ten seconds.
MUTE_SECONDS = 15.0


@define
class Beats:
    """By the name of the Node, when its lease was renewed last, as it says, and since when we have read that."""

    _seen: dict[str, tuple[str, datetime]] = field(factory=dict)

    def hear(self, told: Mapping[str, str], now: datetime) -> None:
        """Keep what was *told* now.  Nobody is waited for whose lease is not among it."""
        before = self._seen
        self._seen = {}
        for node, renewed in told.items():
            known = before.get(node)
            self._seen[node] = known if known is not None and known[0] == renewed else (renewed, now)

    def mute(self, now: datetime) -> frozenset[str]:
        """The Nodes whose kubelets have missed a renewal."""
        first = now - timedelta(seconds=MUTE_SECONDS)
        return frozenset(node for node, (_, since) in self._seen.items() if since <= first)
