"""FakeRegisteringIngress: masters of the fake cloud register themselves with a router that stands outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubo_sdk.model.instance import Role
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest, Ingress, IngressInfo, IngressManifests
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor, Unit
from kubo_sdk.systemd import service
from kubo_sdk.testing.fakes.faults import port_call
from kubo_sdk.testing.fakes.front import Balance
from kubo_sdk.testing.fakes.machine import FakeMachine
from kubo_sdk.testing.fakes.site import FakeSite, LoadBalancer
from kubo_sdk.testing.fakes.wire import Listener

REGISTERING = "fake-registering"
UNIT = "fake-registrar.service"
USER = "fake:ingress"
# Not the API's own.
PORT = 9443


class FakeRegisteringIngress:
    """The router leads to the masters whose unit runs, while their API server is ready."""

    port = "ingress"

    def __init__(self, site: FakeSite) -> None:
        self._site = site
        self.faults = site.cloud.faults
        with site.cloud.lock:
            site.door = site.door or self._made()
            self._api = Endpoint(name="api", host=site.door.host, port=PORT)

    def info(self) -> IngressInfo:
        return IngressInfo(api=self._api, withdrawn_by=(UNIT,), serves_node_ports=False, kubernetes_user=USER)

    @port_call(about=lambda request: str(request.name))
    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        assert request.name == self._api.name, f"nobody should ask for {request.name}"
        return self._api

    @port_call()
    def delete_endpoint(self, name: str) -> None:
        """Whoever is registered goes by itself, and registers again while it lives."""

    @port_call(about=lambda _: "")
    def list_endpoints(self) -> tuple[Endpoint, ...]:
        return (self._api,) if self._registered() else ()

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        group = "rbac.authorization.k8s.io"
        subjects = [{"apiGroup": group, "kind": "User", "name": USER}]
        role = {"apiGroup": group, "kind": "ClusterRole", "name": "view"}
        head = {"apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": USER}}
        return ({**head, "roleRef": role, "subjects": subjects},)

    def node_files(self, context: NodeContext) -> Contribution:
        if context.instance.role is not Role.MASTER:
            return Contribution()
        text = service(
            description="Registers this machine",
            command=("/bin/sleep", "infinity"),
            unit={"After": "network.target kube-apiserver.service"},
        )
        return Contribution(units=(Unit(name=UNIT, text=text),))

    def _made(self) -> LoadBalancer:
        cloud = self._site.cloud
        door = LoadBalancer(host=cloud.take_address(), ports=(PORT, PORT), balance=Balance(cloud=cloud, backends=[]))

        def route() -> Listener | None:
            there = {machine.address for machine in self._registered()}
            door.balance.backends = [address for address in tuple(cloud.api_at) if address[0] in there]
            return door.balance.route()

        door.listener = Listener(address=(door.host, PORT), route=route)
        cloud.doorman.open(door.listener)
        return door

    def _registered(self) -> list[FakeMachine]:
        machines = self._site.cloud.machines_of(self._site.cluster).values()
        return [machine for machine in machines if machine.answers and machine.runs(UNIT)]


_: tuple[type[Ingress], type[NodeContributor], type[IngressManifests]] = (
    FakeRegisteringIngress,
    FakeRegisteringIngress,
    FakeRegisteringIngress,
)
