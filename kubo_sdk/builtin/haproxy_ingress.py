"""HaproxyIngress: HAProxy on the proxy machines, in front of the API servers and of the workers' node ports."""

from __future__ import annotations

from kubo_sdk.builtin.haproxy_config import (
    CLUSTER_CA,
    CONFIG,
    REFUSALS,
    REFUSALS_RULES,
    HaproxyConfig,
    haproxy_config,
)
from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Role
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest, Ingress, IngressInfo
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor, NodeFile, Unit
from kubo_sdk.systemd import HARDENED, command_line, service, unit_text

UNIT = "kubo-haproxy.service"
RELOAD = "kubo-haproxy-reload"
RELOADED_ON = (CONFIG, CLUSTER_CA)
ACCOUNT = "haproxy"
PRIVILEGED_PORTS = 1024


class HaproxyIngress:
    """Its endpoints live on the cluster's own proxies, so there is nothing to keep anywhere else."""

    def __init__(self, config: HaproxyConfig) -> None:
        self._config = config

    def info(self) -> IngressInfo:
        return IngressInfo(runs_on_proxies=True)

    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        """Where the endpoint is: at the first proxy.  NotFound when no proxy has an address yet."""
        for proxy in request.proxies:
            if proxy.address:
                return Endpoint(name=request.name, host=proxy.address, port=request.ports[0])
        raise NotFound(f"endpoint {request.name!r} needs a proxy, and none has an address; deploy the proxy group")

    def delete_endpoint(self, name: str) -> None:
        """Goes with the proxies."""

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        return ()

    def node_packages(self, role: Role) -> tuple[str, ...]:
        return ("haproxy", "nftables") if role is Role.PROXY else ()

    def node_files(self, context: NodeContext) -> Contribution:
        """HAProxy's files and unit for a proxy, nothing for any other machine."""
        if context.instance.role is not Role.PROXY:
            return Contribution()
        files = (
            NodeFile(path=CLUSTER_CA, content=context.ca),
            NodeFile(path=CONFIG, content=haproxy_config(self._config, context.endpoints)),
            NodeFile(path=REFUSALS, content=REFUSALS_RULES),
        )
        unit = Unit(name=UNIT, text=haproxy_unit(self._config, context.endpoints), restart_on=(REFUSALS,))
        watch = Unit(name=f"{RELOAD}.path", text=watch_unit())
        return Contribution(files=files, units=(unit, watch, Unit(name=f"{RELOAD}.service", text=reload_unit())))


_: tuple[type[Ingress], type[NodeContributor]] = (HaproxyIngress, HaproxyIngress)


def haproxy_unit(config: HaproxyConfig, endpoints: tuple[EndpointRequest, ...]) -> str:
    """The unit: never root, and a limit of open files, without which HAProxy walks all there could be at its start."""
    privileged = any(endpoint.ports[0] < PRIVILEGED_PORTS for endpoint in endpoints)
    return service(
        description="HAProxy in front of the API servers and of the node ports",
        command=("/usr/sbin/haproxy", "-Ws", "-f", CONFIG),
        settings={
            **HARDENED,
            "Type": "notify",
            # Without nft the rule is missing, which costs CPU and nothing else.
            "ExecStartPre": f"+-/usr/sbin/nft -f {REFUSALS}",
            "ExecReload": "/bin/kill -USR2 $MAINPID",
            "User": ACCOUNT,
            "RuntimeDirectory": "haproxy",
            "RuntimeDirectoryMode": "0700",
            "KillMode": "mixed",
            "SuccessExitStatus": "143",
            "LimitNOFILE": str(config.open_files),
            **({"AmbientCapabilities": "CAP_NET_BIND_SERVICE"} if privileged else {}),
        },
    )


def watch_unit() -> str:
    """A changed configuration is taken over without a connection lost, which a restart would cost."""
    return unit_text(
        {
            "Unit": {"Description": "Watches the configuration of HAProxy"},
            "Path": {"PathChanged": RELOADED_ON},
            "Install": {"WantedBy": "multi-user.target"},
        }
    )


def reload_unit() -> str:
    """Has HAProxy read its files, once more if they change meanwhile: systemd would not hear of that."""
    digests = f"sha256sum {' '.join(RELOADED_ON)}"
    reload = f"systemctl try-reload-or-restart {UNIT}"
    loop = f'until was="$({digests})"; {reload}; [ "$was" = "$({digests})" ]; do :; done'
    return unit_text(
        {
            "Unit": {"Description": "Has HAProxy take over its configuration", "StartLimitIntervalSec": "0"},
            "Service": {"Type": "oneshot", "ExecStart": command_line(("/bin/sh", "-c", loop))},
        }
    )
