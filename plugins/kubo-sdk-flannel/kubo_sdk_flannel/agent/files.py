"""The files other programs of the node read: subnet.env, the CNI configuration, the agent's own state."""

from __future__ import annotations

import json
import os
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from kubo_sdk_flannel.agent.wire import Network

CNI_VERSION = "0.4.0"


def write(path: str, text: str) -> None:
    """Replace the file in one step, readable by all; nothing happens where it already says *text*."""
    target = Path(path)
    if target.exists() and target.read_text() == text:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.chmod(0o644)
    fresh.replace(target)


def remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def conflist(network: Network, subnet: IPv4Network, mtu: int) -> str:
    """The CNI network list for this node: what flannel's own CNI plugin would have delegated to.

    Debian's containernetworking-plugins has no plugin called flannel, so the agent says itself what that would say.
    """
    bridge: dict[str, Any] = {
        "type": "bridge",
        "bridge": "cni0",
        "mtu": mtu,
        "isGateway": True,
        "isDefaultGateway": True,
        "forceAddress": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": str(subnet)}]],
            "routes": [{"dst": str(network.network)}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": CNI_VERSION, "name": "cbr0", "plugins": [bridge, portmap]}, indent=2) + "\n"
