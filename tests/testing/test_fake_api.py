"""Fake API servers: objects, conflicts, evictions, watches, and Nodes that follow their machines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.errors import AuthError, Conflict, NotFound, Unavailable

from .bench import Bench

POD_LABELS = {"app": "web"}


@pytest.fixture
def api(deployed: Bench) -> KubernetesClient:
    return deployed.api("master/0", "master/1")


def pod(name: str, node: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": POD_LABELS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": node}}


def lease(**metadata: str) -> dict[str, Any]:
    where = {"name": "mine", "namespace": "kube-system", **metadata}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": where, "spec": {}}


def ready(api: KubernetesClient) -> dict[str, bool]:
    return {node.instance: node.ready for node in api.nodes()}


def test_masters_share_what_they_know(deployed: Bench) -> None:
    one, two = deployed.api("master/0"), deployed.api("master/1")
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": {"a": "1"}}
    one.apply(item)
    two.apply({**item, "data": {"b": "2"}})
    path = "/api/v1/namespaces/default/configmaps/it"
    assert one.get(path)["data"] == {"a": "1", "b": "2"}
    two.delete(item)
    with pytest.raises(NotFound):
        one.get(path)


def test_an_object_in_a_namespace_there_is_not_is_refused(api: KubernetesClient) -> None:
    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it", "namespace": "nowhere"}})


def test_of_two_who_write_one_version_the_second_is_refused(api: KubernetesClient) -> None:
    made = api.create(lease())
    with pytest.raises(Conflict):
        api.create(lease())
    version = made["metadata"]["resourceVersion"]
    api.replace(lease(resourceVersion=version))
    with pytest.raises(Conflict, match="has been modified"):
        api.replace(lease(resourceVersion=version))


def test_who_has_no_certificate_is_refused_and_may_ask_for_health(deployed: Bench) -> None:
    way = (deployed.machine("master/0").address, deployed.spec.kubernetes.api_port)
    ca = deployed.https("admin", way)
    anonymous = KubernetesClient(type(ca)([way], ca=deployed._value("admin").ca))
    assert anonymous.ready()
    with pytest.raises(AuthError):
        anonymous.nodes()


def test_a_budget_keeps_pods_from_being_evicted(api: KubernetesClient) -> None:
    node = api.nodes()[0].name
    for name in ("one", "two"):
        api.apply(pod(name, node))
    budget = {"minAvailable": 2, "selector": {"matchLabels": POD_LABELS}}
    api.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": budget})
    refused = api.evict("default", "one", api_version="policy/v1")
    assert refused.status == 429
    cause = json.loads(refused.body)["details"]["causes"][0]["message"]
    assert cause == "The disruption budget web needs 2 healthy pods and has 2 currently"
    api.apply(pod("three", node))
    assert api.evict("default", "one", api_version="policy/v1").status == 201
    assert sorted(each["metadata"]["name"] for each in api.pods_on(node)) == ["three", "two"]


def test_a_watch_tells_what_is_there_and_what_changes(api: KubernetesClient) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": {"a": "1"}}
    with api.watch("/api/v1/namespaces/default/configmaps") as watch:
        told = iter(watch)
        api.apply(item)
        api.apply({**item, "data": {"a": "2"}})
        api.delete(item)
        assert [next(told)[0] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_node_is_ready_until_its_kubelet_is_silent_for_a_while(deployed: Bench, api: KubernetesClient) -> None:
    deployed.machine("worker/0").cut_off()
    deployed.cloud.clock.advance(39)
    assert ready(api) == {"worker-0": True, "worker-1": True, "worker-2": True}
    deployed.cloud.clock.advance(2)
    assert ready(api) == {"worker-0": False, "worker-1": True, "worker-2": True}
    deployed.machine("worker/0").reconnect()
    assert all(ready(api).values())


def test_a_node_without_a_container_runtime_is_not_ready(deployed: Bench, api: KubernetesClient) -> None:
    deployed.machine("worker/1").stop_unit("containerd")
    assert [node.reason for node in api.nodes() if not node.ready] == ["container runtime is down"]


def test_a_deleted_node_comes_back_with_the_next_start_of_its_kubelet(deployed: Bench, api: KubernetesClient) -> None:
    victim = next(node for node in api.nodes() if node.instance == "worker-2")
    api.apply(pod("lost", victim.name))
    api.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": victim.name}})
    deployed.cloud.clock.advance(60)
    assert "worker-2" not in ready(api)
    assert api.pods_on(victim.name) == ()
    deployed.cluster.shell("worker/2").run(["systemctl", "restart", "kubelet"])
    deployed.cloud.clock.advance(5)
    assert ready(api)["worker-2"]


def test_an_api_server_that_hangs_answers_nobody_until_it_is_restarted(deployed: Bench) -> None:
    machine = deployed.machine("master/0")
    machine.hang_unit("kube-apiserver")
    with pytest.raises(Unavailable):
        deployed.api("master/0").nodes()
    assert machine.unit_state("kube-apiserver") == "active"
    assert deployed.cluster.status().endpoint
    assert deployed.api("master/0", "master/1").nodes()
    deployed.cluster.shell("master/0").run(["systemctl", "restart", "kube-apiserver"])
    deployed.cloud.clock.advance(5)
    assert deployed.api("master/0").ready()


def test_the_endpoint_follows_the_api_servers_that_are_ready(deployed: Bench) -> None:
    host, _, port = deployed.cluster.status().endpoint.removeprefix("https://").partition(":")
    client = KubernetesClient(deployed.https("admin", (host, int(port))))
    for master in ("master/0", "master/1"):
        deployed.machine(master).stop_unit("kube-apiserver")
        assert client.ready() is (master == "master/0")
