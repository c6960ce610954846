"""A cluster that differs from the default wherever it can, and a machine that cannot see this host's cache."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .site import Site

pytestmark = pytest.mark.e2e

WORKLOAD = Path(__file__).parent / "workload.yml"

INSTALL = """
import sys
from pathlib import Path
from kubo_sdk import Cluster
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.planning.plan import Effect, Step, Verb
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk.steps.context import RunState, StepContext
from kubo_sdk.steps.install_release import install_release

cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
cpi, spec = cluster.providers.cpi, cluster.spec
cpi.prepare(spec.id)
worker = spec.instances()[-1]
state = RunState(release=cluster.release())
state.vms[worker.id] = cpi.create_vm(VmRequest(cluster=spec.id, instance=worker, token=worker.slug))
context = StepContext(
    spec=spec, providers=cluster.providers, releases=cluster.releases, state=state, clock=SystemClock(), say=print
)
step = Step(verb=Verb.INSTALL_RELEASE, instance=worker.id, reason="", effect=Effect.CREATE)
for _ in range(2):
    install_release(context, step)
    print(cpi.open_shell(state.vms[worker.id]).run([state.release.binary("kubelet"), "--version"]).stdout.decode())
"""


@pytest.fixture(scope="module")
def other(shared_site: Site) -> tuple[Site, Path]:
    """Other names, ports and networks; leases on Nodes and plain routes instead of etcd and VXLAN."""
    groups = [
        {"name": "store", "role": "etcd", "instances": 1},
        {"name": "brain", "role": "master", "instances": 1},
        {"name": "hand", "role": "worker", "instances": 2, "labels": {"disk": "fast"}},
        {"name": "door", "role": "proxy", "instances": 1},
    ]
    spec = shared_site.spec(
        "other",
        kubernetes={
            "version": "1.20.2",
            "source": "debian",
            "node_names": "instance",
            "api_port": 6443,
            "audit": False,
        },
        instance_groups=groups,
        network={
            "pods": "10.44.0.0/16",
            "services": "10.55.0.0/24",
            "node_ports": "30000-30100",
            "domain": "other.local",
        },
        overlay={"provider": "flannel", "store": "kubernetes", "backend": "host-gw"},
    )
    shared_site.kubo(spec, "up")
    return shared_site, spec


def test_nodes_are_called_by_their_instances_and_carry_the_groups_labels(other: tuple[Site, Path]) -> None:
    site, spec = other
    nodes = json.loads(site.kubectl(spec, "get", "nodes", "-o", "json"))["items"]
    assert sorted(node["metadata"]["name"] for node in nodes) == ["hand-0", "hand-1"]
    assert {node["metadata"]["labels"]["disk"] for node in nodes} == {"fast"}
    assert {node["spec"]["podCIDR"].rsplit(".", 2)[0] for node in nodes} == {"10.44"}


def test_the_plan_is_empty_and_the_api_is_where_the_spec_says(other: tuple[Site, Path]) -> None:
    site, spec = other
    assert site.plan(spec)["steps"] == []
    assert site.status(spec)["endpoint"].endswith(":6443")


def test_pods_reach_each_other_over_plain_routes_and_by_service(other: tuple[Site, Path]) -> None:
    site, spec = other
    site.kubectl(spec, "apply", "-f", str(WORKLOAD))
    site.kubectl(spec, "scale", "deployment/hello", "--replicas=2")
    site.kubectl(spec, "rollout", "status", "deployment/hello", "--timeout=120s")
    pods = json.loads(site.kubectl(spec, "get", "pods", "-l", "app=hello", "-o", "json"))["items"]
    ready = [pod for pod in pods if pod["status"]["phase"] == "Running"]
    assert len({pod["spec"]["nodeName"] for pod in ready}) == 2
    first, second = (pod["metadata"]["name"] for pod in ready[:2])
    for target in (ready[1]["status"]["podIP"] + ":8080", "hello"):
        address = target if target != "hello" else cluster_ip(site, spec)
        answer = site.kubectl(spec, "exec", first, "--", "timeout", "5", "wget", "-qO-", f"http://{address}/").strip()
        assert answer in {first, second}
    assert "started" in site.kubectl(spec, "logs", second)


def cluster_ip(site: Site, spec: Path) -> str:
    return site.kubectl(spec, "get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}")


def test_a_machine_that_cannot_see_the_cache_is_sent_the_release(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("sent")
    done = site.run(site.command(sys.executable, "-c", INSTALL, str(spec), str(site.state)))
    assert done.stdout.split("\n\n")[:2] == ["Kubernetes v1.20.2", "Kubernetes v1.20.2"]
