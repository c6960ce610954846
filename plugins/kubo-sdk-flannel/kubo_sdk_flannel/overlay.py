"""FlannelOverlay: the director's half.  It writes down the network and equips the workers; their agents do the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from ipaddress import IPv4Network
from typing import Any

from kubo_sdk.model.instance import Role
from kubo_sdk.ports.access import Etcd
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor
from kubo_sdk.ports.overlay import Overlay, OverlayInfo
from kubo_sdk_flannel import manifests
from kubo_sdk_flannel.config import FlannelConfig, StoreKind
from kubo_sdk_flannel.network import network_text
from kubo_sdk_flannel.node_files import gate_files, worker_files


class FlannelOverlay:
    """``build_agent`` makes the file workers run; it is called once, when the first worker needs it."""

    def __init__(self, config: FlannelConfig, pods: IPv4Network, build_agent: Callable[[], bytes]) -> None:
        self._config = config
        self._pods = pods
        self._build_agent = build_agent

    def info(self) -> OverlayInfo:
        if self._config.store is StoreKind.KUBERNETES:
            return OverlayInfo(node_cidrs=True, kubernetes_user=manifests.KUBERNETES_USER)
        # with the slash, so that no key that merely begins like the prefix is meant
        return OverlayInfo(etcd_prefixes=(f"{self._config.prefix}/",), kubernetes_user=manifests.KUBERNETES_USER)

    def ensure_network(self, etcd: Etcd) -> None:
        if self._config.store is StoreKind.KUBERNETES:
            return
        key, wished = f"{self._config.prefix}/config", network_text(self._config, self._pods)
        found = etcd.get(key)
        if found is None or found.value != wished:
            etcd.put(key, wished)

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        if self._config.store is StoreKind.KUBERNETES:
            return (manifests.role(), manifests.binding())
        return ()

    def node_packages(self, role: Role) -> tuple[str, ...]:
        if role is Role.WORKER:
            return ("containernetworking-plugins", "iptables", "python3")
        return ("python3",) if role is Role.ETCD else ()

    def node_files(self, context: NodeContext) -> Contribution:
        if context.instance.role is Role.WORKER:
            return worker_files(self._config, context, self._agent)
        if context.instance.role is Role.ETCD:
            return gate_files(self._config, context, self._agent)
        return Contribution()

    @cached_property
    def _agent(self) -> bytes:
        return self._build_agent()


_overlay: type[Overlay] = FlannelOverlay
_contributor: type[NodeContributor] = FlannelOverlay
