"""KubernetesClient against a real kube-apiserver, whose etcd has authentication on and three members."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubo_sdk.clients.etcd_auth import EtcdAccess, ensure_access
from kubo_sdk.clients.etcd_gateway import EtcdGateway, encode
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import User

ROOT = User(username="root", password=Secret("root-password"))


@pytest.fixture(scope="module")
def apiserver(etcd, start_apiserver):
    """Started while its etcd is still open to everybody, and not disturbed when that ends, as in a bring-up."""
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(start_apiserver, etcd, "--etcd-compaction-interval=2s")
        ensure_access(etcd.client(), EtcdAccess(root=ROOT))
        server = starting.result()
    client = KubernetesClient(server.https())
    wait_until(lambda: client.apply(config_map("first")), what="the namespace default", timeout=20, interval=0.02)
    return server


@pytest.fixture
def client(apiserver) -> KubernetesClient:
    return KubernetesClient(apiserver.https())


@pytest.fixture
def name() -> str:
    return f"t{secrets.token_hex(6)}"


def config_map(name: str, namespace: str = "default", **data: str) -> dict[str, object]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def node(name: str, slug: str) -> dict[str, object]:
    metadata = {"name": name, "labels": {"kubo/instance": slug}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"providerID": f"local://{slug}"}}


def report_state(apiserver, name: str, status: str, message: str) -> None:
    """What a kubelet would do: report the Node's state."""
    condition = {"type": "Ready", "status": status, "message": message, "reason": "Kubelet"}
    body = {
        "status": {
            "conditions": [condition],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
            "nodeInfo": {"kubeletVersion": "v1.20.2"},
        }
    }
    KubernetesClient(apiserver.https())._patch(
        f"/api/v1/nodes/{name}/status", body, {"Content-Type": "application/merge-patch+json"}
    ).check("report")


def test_the_api_server_has_exactly_the_rights_it_needs_in_etcd(apiserver, etcd, client) -> None:
    root = etcd.client()
    root.authenticate("root", ROOT.password)
    wait_until(lambda: root.get("compact_rev_key"), what="the first compaction", timeout=20)
    client.apply(config_map("written-after-it"))
    assert {found.key.split("/")[1] for found in root.list("") if "/" in found.key} == {"registry"}
    complaints = r"permission denied|user name|etcdserver:|compact failed|auth:"
    assert [line for line in apiserver.log.splitlines() if re.search(complaints, line)] == []


def test_a_server_is_ready_for_anybody_who_asks_and_a_missing_one_is_not(apiserver, authority) -> None:
    anonymous = HttpsClient([(apiserver.host, 8443)], authority.ca)
    assert KubernetesClient(anonymous).ready()
    assert not KubernetesClient(HttpsClient([("127.0.0.1", 1)], authority.ca)).ready()


def test_apply_makes_changes_and_takes_over_what_others_set(apiserver, client, name) -> None:
    client.apply(config_map(name, mode="first", kept="yes"))
    path = f"/api/v1/namespaces/default/configmaps/{name}"
    client._patch(path, {"data": {"mode": "theirs", "other": "1"}}, {"Content-Type": "application/merge-patch+json"})
    applied = client.apply(config_map(name, mode="second"))
    assert applied["data"] == {"mode": "second", "other": "1"}
    assert client.get(path)["data"] == applied["data"]


def test_apply_all_makes_a_namespace_before_what_lies_in_it(client, name) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader", "namespace": name},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    client.apply_all([config_map("a", name), role, namespace])
    assert [found["metadata"]["name"] for found in client.list(f"/api/v1/namespaces/{name}/configmaps")] == ["a"]


def test_a_kind_outside_the_table_is_asked_of_the_server(client, name) -> None:
    priority = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": 7,
    }
    client.apply(priority)
    assert client.get(f"/apis/scheduling.k8s.io/v1/priorityclasses/{name}")["value"] == 7
    client.delete(priority)
    for version, kind in (("scheduling.k8s.io/v1", "Nonsense"), ("nowhere.example/v1", "Thing")):
        with pytest.raises(NotFound):
            client.apply({"apiVersion": version, "kind": kind, "metadata": {"name": name}})


def test_an_object_without_a_name_is_told_apart_from_a_server_error(client) -> None:
    with pytest.raises(ProviderError, match=r"a Pod without metadata\.name"):
        client.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {}})


def test_deleting_what_is_absent_succeeds(client, name) -> None:
    client.apply(config_map(name))
    client.delete(config_map(name))
    client.delete(config_map(name))
    with pytest.raises(NotFound, match=rf'configmaps "{name}" not found'):
        client.get(f"/api/v1/namespaces/default/configmaps/{name}")


def test_a_list_can_be_limited_by_labels(client, name) -> None:
    for each, colour in (("a", "red"), ("b", "blue")):
        item = config_map(f"{name}{each}")
        item["metadata"]["labels"] = {"test": name, "colour": colour}
        client.apply(item)
    found = client.list("/api/v1/configmaps", label_selector=f"test={name},colour in (red)")
    assert [item["metadata"]["name"] for item in found] == [f"{name}a"]


def test_nodes_tell_their_instance_and_why_they_are_not_ready(apiserver, client, name) -> None:
    client.apply(node(f"{name}1", "worker-1"))
    client.apply(node(f"{name}0", "worker-0"))
    report_state(apiserver, f"{name}0", "True", "kubelet is posting ready status")
    report_state(apiserver, f"{name}1", "False", "cni plugin not initialized")
    first, second = (found for found in client.nodes() if found.name.startswith(name))
    assert (first.instance, first.ready, first.reason) == ("worker-0", True, "")
    assert (first.address, first.provider_id, first.kubelet_version) == ("10.0.0.7", "local://worker-0", "v1.20.2")
    assert (second.instance, second.ready, second.reason) == ("worker-1", False, "cni plugin not initialized")
    client.apply(node(f"{name}2", "worker-2"))
    (third,) = (found for found in client.nodes() if found.name == f"{name}2")
    assert (third.ready, third.reason) == (False, "the kubelet has not reported yet")


def test_node_labels_are_set_and_taken_away_one_by_one(client, name) -> None:
    client.apply(node(name, "worker-3"))
    client.patch_node_labels(name, {"node-role.kubernetes.io/worker": "", "old": "1"})
    client.patch_node_labels(name, {"old": None})
    (found,) = (found for found in client.nodes() if found.name == name)
    assert found.labels == {"kubo/instance": "worker-3", "node-role.kubernetes.io/worker": ""}


def test_a_watch_tells_what_happens_until_it_is_closed(client, name) -> None:
    item = config_map(name, step="1")
    item["metadata"]["labels"] = {"test": name}
    client.apply(item)
    with client.watch("/api/v1/configmaps", label_selector=f"test={name}") as watch, ThreadPoolExecutor(1) as pool:
        events = iter(watch)
        kind, seen = next(events)
        assert (kind, seen["data"]["step"]) == ("ADDED", "1")
        client.apply({**item, "data": {"step": "2"}})
        kind, seen = next(events)
        assert (kind, seen["data"]["step"]) == ("MODIFIED", "2")
        client.delete(item)
        assert next(events)[0] == "DELETED"
        rest = pool.submit(list, events)
        watch.close()
        assert rest.result(timeout=5) == []


def test_a_watch_from_a_forgotten_revision_says_that_one_must_list_again(client, etcd) -> None:
    gateway = EtcdGateway(etcd.https())
    gateway.authenticate("root", ROOT.password)

    def forgotten() -> bool | None:
        try:
            gateway.call("kv/range", {"key": encode("a"), "revision": "9"}, what="get at revision 9")
        except ProviderError as error:
            return "compacted" in str(error) or None
        return None

    wait_until(forgotten, what="the first compaction", timeout=20)
    # Events are the one kind that the API server keeps no history of in memory.
    with (
        client.watch("/api/v1/events", resource_version="1", silence=10) as watch,
        pytest.raises(Unavailable, match=r"watch of /api/v1/events ended: .*; list again"),
    ):
        list(watch)


def test_what_a_secret_holds_is_not_told_in_an_error(client, name) -> None:
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"key": "hunter2!"}}
    with pytest.raises(ProviderError) as caught:
        client.apply(item)
    assert "hunter2" not in str(caught.value)
    assert f"apply /api/v1/namespaces/default/secrets/{name} failed" in str(caught.value)
