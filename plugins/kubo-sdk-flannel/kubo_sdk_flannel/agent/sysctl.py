"""Two kernel switches without which pods cannot talk: forwarding, and iptables for bridged packets."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk_flannel.agent.trouble import say

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_BRIDGE = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def ensure() -> None:
    """Turn both on.  Says what is missing and goes on: pods of different nodes reach each other without the second."""
    _switch_on(_FORWARD)
    if _BRIDGE.exists():
        _switch_on(_BRIDGE)
    else:
        say(
            f"{_BRIDGE} is absent, so a service answers no pod that shares a node with its endpoint; "
            "load the kernel module br_netfilter on the machine's host"
        )


def _switch_on(knob: Path) -> None:
    try:
        if knob.read_text().strip() != "1":
            knob.write_text("1")
    except OSError as error:
        say(f"cannot switch on {knob}: {error.strerror}")
