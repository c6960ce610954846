"""Draining: which pods go, which stay, what a budget says, and what an interrupted drain leaves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import attrs
import pytest

from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.errors import DeployFailed
from kubo_sdk.model.spec import UpdateSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.steps.access import any_server_client
from kubo_sdk.steps.drain import eviction_version
from kubo_sdk.testing.fakes import FakeCloud

from .fleet import Fleet, fleet


@pytest.fixture
def workers(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    made = fleet(tmp_path, cloud, etcd=1, master=1, worker=2, proxy=1)
    made.spec = attrs.evolve(made.spec, update=UpdateSpec(drain_timeout_seconds=7))
    made.cluster.deploy()
    return made


def api(workers: Fleet) -> KubernetesClient:
    return any_server_client(workers.spec, workers.cluster._upkeep._observe()[1])


def run_pod(workers: Fleet, name: str, **metadata: Any) -> str:
    """A pod on worker/0.  Returns its Node."""
    client = api(workers)
    node = client.nodes_of("worker-0")[0].name
    client.apply(pod(name, {"nodeName": node}, **metadata))
    return node


def pod(name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": {"app": "web"}, **metadata}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def keep(workers: Fleet, least: int) -> None:
    """A budget that keeps at least so many pods of the application."""
    api(workers).apply(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": "web"}}},
        }
    )


def owned_by(kind: str) -> list[dict[str, Any]]:
    return [{"apiVersion": "apps/v1", "kind": kind, "name": "owner", "uid": "1", "controller": True}]


def test_pods_that_others_could_run_go_and_those_of_the_node_itself_stay(workers: Fleet) -> None:
    run_pod(workers, "alone")
    run_pod(workers, "of-a-deployment", ownerReferences=owned_by("ReplicaSet"))
    run_pod(workers, "of-a-daemon-set", ownerReferences=owned_by("DaemonSet"))
    node = run_pod(workers, "mirror", annotations={"kubernetes.io/config.mirror": "x"})
    workers.cluster.stop("worker/0")
    left = {pod["metadata"]["name"] for pod in api(workers).pods_on(node)}
    assert left == {"of-a-daemon-set", "mirror"}
    assert api(workers).node(node).unschedulable


def test_a_pod_that_a_slow_scheduler_places_while_its_node_is_drained_moves_as_well(workers: Fleet) -> None:
    client = api(workers)
    client.apply(pod("late", {}))
    node = client.nodes_of("worker-0")[0].name

    def place() -> None:
        workers.cloud.clock.sleep(2)
        client.apply(pod("late", {"nodeName": node}))

    scheduler = threading.Thread(target=place)
    scheduler.start()
    workers.cluster.stop("worker/0")
    scheduler.join()
    assert client.pods_on(node) == ()


def test_a_pod_that_no_scheduler_looks_at_holds_a_drain_up_for_a_while_only(workers: Fleet) -> None:
    api(workers).apply(pod("of-another-scheduler", {"schedulerName": "away"}))
    workers.cluster.stop("worker/0")
    assert [each["metadata"]["name"] for each in api(workers).pods_to_place()] == ["of-another-scheduler"]


def test_a_budget_that_keeps_a_pod_ends_the_drain_after_its_bound_and_is_named(workers: Fleet) -> None:
    node = run_pod(workers, "kept")
    keep(workers, least=1)
    began = workers.cloud.clock.monotonic()
    with pytest.raises(DeployFailed, match=r"PodDisruptionBudget web in namespace default keeps pod kept") as told:
        workers.cluster.recreate("worker/0")
    assert "the draining of worker/0 did not happen within 7 s" in str(told.value)
    assert workers.cloud.clock.monotonic() - began < 20
    assert [step.id for step in workers.cluster.plan().steps] == ["uncordon worker/0"]
    workers.cluster.deploy()
    assert not api(workers).node(node).unschedulable
    assert workers.machine("worker/0").answers


def test_a_worker_that_somebody_else_cordoned_stays_cordoned(workers: Fleet) -> None:
    client = api(workers)
    node = client.nodes_of("worker-0")[0].name
    client.annotate_node(node, {}, unschedulable=True)
    workers.cluster.restart("worker/0")
    assert client.node(node).unschedulable
    assert workers.cluster.plan().is_empty


@pytest.mark.parametrize(("minor", "expected"), [(20, "policy/v1beta1"), (21, "policy/v1beta1"), (22, "policy/v1")])
def test_an_eviction_is_called_what_its_version_calls_it(minor: int, expected: str) -> None:
    assert eviction_version(KubernetesVersion(1, minor, 0)) == expected
