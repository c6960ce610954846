"""Where things lie on a machine, and which ports they use."""

from __future__ import annotations

AGENT = "/opt/kubo/flannel/agent.pyz"
_DIRECTORY = "/etc/kubo/flannel"

SETTINGS = f"{_DIRECTORY}/settings.json"
CLIENT = f"{_DIRECTORY}/client"

GATE_SETTINGS = f"{_DIRECTORY}/gate.json"
GATE = f"{_DIRECTORY}/gate"
GATE_CLIENT = f"{_DIRECTORY}/gate-etcd"
GATE_LOGIN = f"{_DIRECTORY}/gate-login.json"

ETCD_PORT = 2379
GATE_PORT = 2382
