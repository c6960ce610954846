"""The systemd units of agent and gate."""

from __future__ import annotations

from kubo_sdk_flannel import paths

AGENT_UNIT = "kubo-flannel.service"
GATE_UNIT = "kubo-flannel-gate.service"

# READY is told as soon as the agent runs, not when the network is up: a `systemctl restart` must come back while etcd
# is away.  Who waits for the network waits for /etc/cni/net.d/10-flannel.conflist, as kubelet does.
# The directories outlive the agent, as the routes do.  NET_RAW is for the legacy iptables.
_AGENT = f"""\
[Unit]
Description=flannel agent: this worker's subnet and its routes to the others
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/bin/python3 -IS {paths.AGENT} agent {paths.SETTINGS}
RuntimeDirectory=flannel kubo
RuntimeDirectoryPreserve=yes
ConfigurationDirectory=cni/net.d
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
"""

_GATE = f"""\
[Unit]
Description=flannel gate: the only way by which workers reach etcd
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/bin/python3 -IS {paths.AGENT} gate {paths.GATE_SETTINGS}
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
"""

_BOTH = """\
Restart=always
RestartSec=1
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
LimitNOFILE=8192

[Install]
WantedBy=multi-user.target
"""


def agent_unit() -> str:
    """The unit of a worker."""
    return _AGENT + _BOTH


def gate_unit() -> str:
    """The unit of an etcd machine."""
    return _GATE + _BOTH
