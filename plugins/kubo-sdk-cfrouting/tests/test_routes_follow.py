"""Following a real API server that forgot what is asked for: it is listed again, and nothing is missed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubo_sdk_cfrouting.agent import routes_kubernetes
from kubo_sdk_cfrouting.agent.routes_catalog import Shelf
from kubo_sdk_cfrouting.agent.routes_follow import Follower
from kubo_sdk_cfrouting.agent.routes_kubernetes import GONE, ApiError, Kubernetes
from kubo_sdk_cfrouting.agent.routes_objects import Service, service_of
from kubo_sdk_cfrouting.agent.settings import Api
from kubo_sdk_cfrouting.agent.trouble import Trouble

from .routes_lab.api_server import HOST, ApiServer
from .routes_lab.process import wait_for

SERVICES = "/api/v1/services"


@pytest.fixture
def api(api_server: ApiServer) -> Iterator[ApiServer]:
    """With three Services that ask for routes."""
    for number in range(3):
        api_server.add_service(f"shop-{number}", labels={"tcp-route-sync": str(1024 + number)})
    yield api_server
    api_server.clear()


def access(api: ApiServer) -> Api:
    files = api.agent_files()
    return Api(HOST, api.port, files.ca, files.certificate, files.key)


class Followed:
    """Services as they are followed, in a thread of its own."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self.changes = 0
        self._shelf: Shelf[Service] = Shelf("Service", service_of, self._changed)
        self._trouble = Trouble("follow Services")
        follower = Follower(kubernetes, (SERVICES,), self._shelf, self._trouble)
        threading.Thread(target=follower.run, daemon=True).start()

    def _changed(self) -> None:
        self.changes += 1

    def wait_for(self, *names: str) -> None:
        def there() -> bool:
            return {service.name for service in self._shelf.everything()} == set(names) and not self._trouble.told

        wait_for(there, f"{names}, there are {self._shelf.everything()} and {self._trouble.told!r};")


class Compacted(Kubernetes):
    """Before its second page etcd forgets what the first is from."""

    def __init__(self, access: Api, api: ApiServer) -> None:
        super().__init__(access)
        self._api = api
        self.refused: list[int] = []

    def page(self, path: str, *, more: str = "", fresh: bool = False) -> dict[str, Any]:
        if more and not self.refused:
            self._api.add_service("late", labels={"tcp-route-sync": "1030"})
            self._api.compact()
        try:
            return super().page(path, more=more, fresh=True)
        except ApiError as error:
            self.refused.append(error.status)
            raise


def test_a_list_whose_pages_etcd_compacted_away_is_begun_anew(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_kubernetes, "PAGE", 1)
    kubernetes = Compacted(access(api), api)
    followed = Followed(kubernetes)
    followed.wait_for("shop-0", "shop-1", "shop-2", "late")
    assert kubernetes.refused == [GONE]


def test_the_agents_may_only_do_what_they_have_to(api: ApiServer) -> None:
    kubernetes = Kubernetes(access(api))
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
    for path in ("/api/v1/secrets", "/api/v1/pods", "/api/v1/configmaps", f"{leases}/kube-scheduler", leases):
        with pytest.raises(ApiError) as refused:
            kubernetes.get(path)
        assert refused.value.status == 403, path
    path = "/api/v1/namespaces/default/services/shop-0"
    for attempt in (lambda: kubernetes.patch(path, {}), lambda: kubernetes.replace(path, {})):
        with pytest.raises(ApiError) as refused:
            attempt()
        assert refused.value.status == 403
    assert kubernetes.page(SERVICES)["items"]
