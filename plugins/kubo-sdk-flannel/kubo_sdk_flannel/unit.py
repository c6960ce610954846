"""The systemd unit of the agent."""

from __future__ import annotations

UNIT_NAME = "kubo-flannel.service"

# READY is told as soon as the agent runs, not when the network is up: a `systemctl restart` must come back while etcd
# is away.  Who waits for the network waits for /etc/cni/net.d/10-flannel.conflist, as kubelet does.
# The directories outlive the agent, as the routes do.  NET_RAW is for the legacy iptables.
_TEXT = """\
[Unit]
Description=flannel agent: this worker's subnet and its routes to the others
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/bin/python3 -IS {agent} {settings}
Restart=always
RestartSec=1
RuntimeDirectory=flannel kubo
RuntimeDirectoryPreserve=yes
ConfigurationDirectory=cni/net.d
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
LimitNOFILE=1024

[Install]
WantedBy=multi-user.target
"""


def unit_text(agent: str, settings: str) -> str:
    """The unit that runs *agent* with *settings*, both paths on the node."""
    return _TEXT.format(agent=agent, settings=settings)
