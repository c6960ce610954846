"""Leases on Node objects of a real API server, as flannel's Kubernetes mode keeps them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

import pytest
from kubo_sdk_flannel.config import BackendKind, FlannelConfig, StoreKind
from kubo_sdk_flannel.network import network_config
from kubo_sdk_flannel.overlay import FlannelOverlay

from .conftest import PODS
from .lab.api_server import USER, ApiServer, find_programs
from .lab.datacentre import DataCentre
from .lab.namespaces import wait_for
from .lab.worker import Worker

CONFIG = FlannelConfig(store=StoreKind.KUBERNETES)
PREFIX = "flannel.alpha.coreos.com"

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def api(centre: DataCentre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    programs = find_programs()
    if programs is None:
        pytest.skip("no kube-apiserver; name its directory in KUBO_TEST_BIN")
    server = ApiServer(centre.hub, tmp_path_factory.mktemp("api"), programs)
    try:
        server.start()
        for manifest in FlannelOverlay(CONFIG, PODS, lambda: b"").manifests():
            server.kubectl("create", "-f", "-", stdin=manifest)
        yield server
    finally:
        server.stop()


AddNode = Callable[..., Worker]


@pytest.fixture
def add_node(api: ApiServer, centre: DataCentre) -> Iterator[AddNode]:
    """A worker whose Node is there, with a pod CIDR unless told otherwise, and its agent started."""

    def add(*, pod_cidr: str | None = None, config: FlannelConfig = CONFIG) -> Worker:
        number = next(_numbers)
        worker = centre.add_worker({})
        api.add_node(worker.address, f"10.200.{number}.0/24" if pod_cidr is None else pod_cidr)
        worker.configure(api.worker_settings(worker.address, network_config(config, PODS)))
        worker.start()
        return worker

    try:
        yield add
    finally:
        centre.remove_workers()
        api.kubectl("delete", "nodes", "--all")


def marks(api: ApiServer, worker: Worker) -> dict[str, str]:
    found = api.get_node(worker.address)["metadata"].get("annotations", {})
    return {name.removeprefix(f"{PREFIX}/"): value for name, value in found.items() if name.startswith(PREFIX)}


def know_each_other(one: Worker, other: Worker) -> bool:
    return other.subnet in one.routes() and one.subnet in other.routes()


def test_pods_of_two_nodes_reach_each_other_over_their_pod_cidrs(api: ApiServer, add_node: AddNode) -> None:
    here, there = add_node().ready(), add_node().ready()
    assert here.subnet == api.get_node(here.address)["spec"]["podCIDR"]
    wait_for(lambda: know_each_other(here, there), "the routes")
    near, far = here.add_pod(), there.add_pod()
    assert near.reaches(far.address)
    assert far.reaches(near.address)


def test_a_node_carries_flannels_annotations_and_its_condition(api: ApiServer, add_node: AddNode) -> None:
    worker = add_node().ready()
    link = worker.link()
    assert link is not None
    assert marks(api, worker) == {
        "kube-subnet-manager": "true",
        "backend-type": "vxlan",
        "backend-data": f'{{"VNI":1,"VtepMAC":"{link["address"]}"}}',
        "public-ip": worker.address,
    }
    conditions = {each["type"]: each for each in api.get_node(worker.address)["status"]["conditions"]}
    assert conditions["NetworkUnavailable"]["status"] == "False"
    assert conditions["NetworkUnavailable"]["reason"] == "FlannelIsUp"


def test_host_routes_have_no_backend_data(api: ApiServer, add_node: AddNode) -> None:
    config = FlannelConfig(store=StoreKind.KUBERNETES, backend=BackendKind.HOST_GW)
    here, there = add_node(config=config).ready(), add_node(config=config).ready()
    assert marks(api, here)["backend-data"] == "null"
    wait_for(lambda: know_each_other(here, there), "the routes")
    assert here.routes()[there.subnet]["gateway"] == there.address


def test_an_agent_waits_until_its_node_has_a_pod_cidr(api: ApiServer, add_node: AddNode) -> None:
    worker = add_node(pod_cidr="")
    wait_for(lambda: worker.said("has no pod CIDR yet"), "the agent's word")
    assert not worker.cni_file.exists()
    patch = {"spec": {"podCIDR": "10.200.77.0/24", "podCIDRs": ["10.200.77.0/24"]}}
    api.kubectl("patch", "node", worker.address, "-p", json.dumps(patch))
    assert worker.ready().subnet == "10.200.77.0/24"


def test_a_pod_cidr_outside_the_network_is_told_in_one_sentence(add_node: AddNode) -> None:
    worker = add_node(pod_cidr="10.77.0.0/24")
    wait_for(lambda: worker.said("is not inside the network 10.200.0.0/16"), "the sentence")
    assert worker.said("--cluster-cidr")
    assert not worker.subnet_file.exists()


def test_a_deleted_node_is_forgotten(api: ApiServer, add_node: AddNode) -> None:
    here, there = add_node().ready(), add_node().ready()
    wait_for(lambda: know_each_other(here, there), "the routes")
    subnet = there.subnet
    there.stop()
    api.kubectl("delete", "node", there.address)
    wait_for(lambda: subnet not in here.routes(), "the removal")
    assert here.fdb() == set()


def test_annotations_somebody_removed_come_back(api: ApiServer, add_node: AddNode) -> None:
    worker = add_node().ready()
    before = marks(api, worker)
    api.kubectl(
        "annotate", "node", worker.address, f"{PREFIX}/backend-data-", f"{PREFIX}/public-ip=192.0.2.1", "--overwrite"
    )
    wait_for(lambda: marks(api, worker) == before, "the annotations")


def test_an_operator_may_say_which_address_a_node_is_reached_at(api: ApiServer, add_node: AddNode) -> None:
    here, there = add_node().ready(), add_node().ready()
    wait_for(lambda: know_each_other(here, there), "the routes")
    api.kubectl("annotate", "node", there.address, f"{PREFIX}/public-ip-overwrite=10.99.200.1")
    wait_for(lambda: {place for _, place in here.fdb()} == {"10.99.200.1"}, "the other address")
    wait_for(lambda: marks(api, there)["public-ip"] == "10.99.200.1", "the agent's agreement")


def test_the_network_lives_through_an_outage_of_the_api(api: ApiServer, add_node: AddNode) -> None:
    here, there = add_node().ready(), add_node().ready()
    wait_for(lambda: know_each_other(here, there), "the routes")
    near, far = here.add_pod(), there.add_pod()
    api.stop_api()
    try:
        wait_for(lambda: "does not answer" in here.state()["error"], "the agent's word")
        here.namespace.ip("link", "del", "flannel.1")
        wait_for(lambda: near.reaches(far.address), "the repair without the API", 4)
    finally:
        api.start_api()
    late = add_node().ready()
    wait_for(lambda: know_each_other(here, late), "the routes of the new node")


@pytest.mark.parametrize(
    ("verb", "what", "allowed"),
    [
        ("list", "nodes", "yes"),
        ("patch", "nodes/status", "yes"),
        ("patch", "nodes", "no"),
        ("delete", "nodes", "no"),
        ("get", "secrets", "no"),
        ("list", "pods", "no"),
        ("create", "pods", "no"),
    ],
)
def test_an_agent_has_no_more_rights_than_it_needs(api: ApiServer, verb: str, what: str, allowed: str) -> None:
    resource, _, subresource = what.partition("/")
    extra = [f"--subresource={subresource}"] if subresource else []
    done = api.attempt("auth", "can-i", verb, resource, *extra, "-A", certificate=api.issuer.issue(USER))
    assert done.stdout.split() == [allowed]
