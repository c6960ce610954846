"""The seed's nine machines: what a user does with them on the first day."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from .site import Site

pytestmark = pytest.mark.e2e

Quickstart = tuple[Site, Path]
WORKLOAD = Path(__file__).parent / "workload.yml"

FORGET_SPEC = """
import sys
from pathlib import Path
from kubo_sdk import Cluster
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
cluster.providers.credential_store.delete(cluster.spec.id.credential("cluster-spec"))
"""


@pytest.fixture(scope="module")
def workload(quickstart: Quickstart) -> list[dict[str, str]]:
    """Three pods, one on each worker: their names, pod IPs and nodes."""
    site, spec = quickstart
    site.kubectl(spec, "apply", "-f", str(WORKLOAD))
    site.kubectl(spec, "rollout", "status", "deployment/hello", "--timeout=120s")
    pods = json.loads(site.kubectl(spec, "get", "pods", "-l", "app=hello", "-o", "json"))["items"]
    return [
        {"name": pod["metadata"]["name"], "ip": pod["status"]["podIP"], "node": pod["spec"]["nodeName"]} for pod in pods
    ]


def proxy_address(site: Site, spec: Path) -> str:
    return next(i["address"] for i in site.status(spec)["instances"] if i["role"] == "proxy")


def test_the_plan_after_the_deploy_is_empty(quickstart: Quickstart) -> None:
    site, spec = quickstart
    assert site.plan(spec)["steps"] == []


def test_the_status_is_healthy_and_names_nine_instances(quickstart: Quickstart) -> None:
    site, spec = quickstart
    status = site.status(spec)
    assert status["healthy"], status
    assert len(status["instances"]) == 9


def test_nodes_announce_their_address_and_carry_instance_group_and_zone(quickstart: Quickstart) -> None:
    site, spec = quickstart
    addresses = {i["instance"]: i["address"] for i in site.status(spec)["instances"]}
    nodes = json.loads(site.kubectl(spec, "get", "nodes", "-o", "json"))["items"]
    labels = {node["metadata"]["name"]: node["metadata"]["labels"] for node in nodes}
    assert set(labels) == {addresses[f"worker/{index}"] for index in range(3)}
    worker = labels[addresses["worker/1"]]
    assert worker["kubo/instance"] == "worker-1"
    assert worker["kubo/group"] == "worker"
    assert worker["topology.kubernetes.io/zone"] == "z2"
    assert "node-role.kubernetes.io/worker" in worker


def test_pods_reach_each_other_across_workers(quickstart: Quickstart, workload: list[dict[str, str]]) -> None:
    site, spec = quickstart
    assert len({pod["node"] for pod in workload}) == 3
    first = workload[0]["name"]
    for other in workload[1:]:
        answer = site.kubectl(spec, "exec", first, "--", "timeout", "5", "wget", "-qO-", f"http://{other['ip']}:8080/")
        assert answer.strip() == other["name"]


def test_the_service_answers_on_its_cluster_ip(quickstart: Quickstart, workload: list[dict[str, str]]) -> None:
    site, spec = quickstart
    address = site.kubectl(spec, "get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}")
    names = {pod["name"] for pod in workload}
    answers = site.kubectl(
        spec, "exec", workload[0]["name"], "--", "sh", "-c",
        f"for i in 1 2 3 4 5 6 7 8 9 10 11 12; do timeout 5 wget -qO- http://{address}/; done",
    )  # fmt: skip
    assert set(answers.split()) <= names
    assert len(answers.split()) == 12


def test_the_node_port_answers_through_the_proxy(quickstart: Quickstart, workload: list[dict[str, str]]) -> None:
    site, spec = quickstart
    url = f"http://{proxy_address(site, spec)}:30080/"
    answers = {site.run(site.command("curl", "-sS", "--max-time", "5", url)).stdout.strip() for _ in range(12)}
    assert answers <= {pod["name"] for pod in workload}
    assert answers


def test_logs_and_exec_go_through_a_master_to_the_kubelet(
    quickstart: Quickstart, workload: list[dict[str, str]]
) -> None:
    site, spec = quickstart
    for pod in workload:
        assert "started" in site.kubectl(spec, "logs", pod["name"])
        assert site.kubectl(spec, "exec", pod["name"], "--", "hostname").strip() == pod["name"]


def test_secrets_are_encrypted_in_etcd(quickstart: Quickstart) -> None:
    site, spec = quickstart
    site.kubectl(spec, "create", "secret", "generic", "probe", "--from-literal=word=plain-to-see")
    log = "cat /var/lib/kubo/disk/etcd/member/wal/*.wal"

    def count(word: str) -> int:
        done = site.kubo(spec, "exec", "etcd/0", "--", "sh", "-c", f"{log} | grep -a -c {word}", check=False)
        return int(done.stdout)

    assert count("/registry/secrets/default/probe") > 0
    assert count("plain-to-see") == 0


def test_requests_are_written_to_the_audit_log(quickstart: Quickstart) -> None:
    site, spec = quickstart
    found = [
        site.kubo(
            spec, "exec", f"master/{index}", "--", "grep", "-c", "kubernetes-admin",
            "/var/log/kubernetes/audit.log", check=False,
        ).stdout.strip()
        for index in range(2)
    ]  # fmt: skip
    assert sum(int(count or 0) for count in found) > 0


def test_an_anonymous_caller_may_read_health_and_nothing_else(quickstart: Quickstart) -> None:
    site, spec = quickstart
    base = f"https://{proxy_address(site, spec)}:8443"

    def code(path: str) -> str:
        return site.run(site.command("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", f"{base}{path}")).stdout

    assert code("/readyz") == "200"
    assert code("/api/v1/secrets") == "403"


def test_a_kubelet_may_not_touch_another_node(quickstart: Quickstart) -> None:
    site, spec = quickstart
    addresses = {i["instance"]: i["address"] for i in site.status(spec)["instances"]}
    base = f"https://{proxy_address(site, spec)}:8443"
    done = site.kubo(
        spec, "exec", "worker/0", "--", "sh", "-c",
        "curl -sk -o /dev/null -w '%{http_code}' --cert /etc/kubernetes/pki/kubelet.crt "
        "--key /etc/kubernetes/pki/kubelet.key -X PATCH -H 'Content-Type: application/merge-patch+json' "
        f"-d '{{\"metadata\":{{\"labels\":{{\"a\":\"b\"}}}}}}' {base}/api/v1/nodes/{addresses['worker/1']}",
    )  # fmt: skip
    assert done.stdout == "403"


def test_one_master_may_stop_while_the_api_keeps_answering(quickstart: Quickstart) -> None:
    site, spec = quickstart
    site.kubo(spec, "exec", "master/0", "--", "systemctl", "stop", "kube-apiserver")
    try:
        for _ in range(5):
            site.kubectl(spec, "get", "nodes")
    finally:
        site.kubo(spec, "exec", "master/0", "--", "systemctl", "start", "kube-apiserver")


def test_a_worker_cannot_read_the_keys_of_kubernetes_in_etcd(quickstart: Quickstart) -> None:
    """The original's CVE-2019-3779: here with every pair of certificate and key that lies on a worker."""
    site, spec = quickstart
    etcd = next(i["address"] for i in site.status(spec)["instances"] if i["instance"] == "etcd/0")
    registry = '{"key": "L3JlZ2lzdHJ5Lw==", "range_end": "L3JlZ2lzdHJ5MA=="}'
    script = f"""
    certificates=$(grep -rl 'BEGIN CERTIFICATE' /etc /opt/kubo/flannel 2>/dev/null | grep -v /etc/ssl)
    keys=$(grep -rlE 'BEGIN (EC |RSA )?PRIVATE KEY' /etc /opt/kubo/flannel 2>/dev/null | grep -v /etc/ssl)
    for port in 2379 2380; do for certificate in $certificates; do for key in $keys; do
      curl -sk --max-time 3 --cert "$certificate" --key "$key" -X POST -d '{registry}' \
        -w 'answer %{{http_code}}\n' https://{etcd}:$port/v3/kv/range
    done; done; done
    """
    output = site.kubo(spec, "exec", "worker/0", "--", "sh", "-c", script, check=False).stdout
    answers = [line for line in output.splitlines() if "answer" in line]
    assert len(answers) >= 8, "no credential was tried"
    assert set(answers) == {"answer 000"}, "etcd spoke to a worker"


@pytest.mark.parametrize("kept", [True, False])
def test_a_lost_spec_is_found_again_and_its_plan_is_empty(quickstart: Quickstart, tmp_path: Path, kept: bool) -> None:
    site, spec = quickstart
    if not kept:
        site.run(site.command(sys.executable, "-c", FORGET_SPEC, str(spec), str(site.state)))
    document = yaml.safe_load(spec.read_text())
    store = {"provider": "file", "path": str(site.state / "credentials.db")}
    start, found = tmp_path / "start.yml", tmp_path / "cluster.yml"
    start.write_text(yaml.safe_dump({"name": document["name"], "cpi": document["cpi"], "credential_store": store}))
    kubo = (sys.executable, "-m", "kubo_sdk", "--json", "--state", str(tmp_path / "state"))
    told = json.loads(site.run(site.command(*kubo, "adopt", str(start), "--output", str(found))).stdout)
    assert (told["kept"], told["plan"]["steps"]) == (kept, [])
    assert yaml.safe_load(found.read_text())["kubernetes"]["version"] == "1.20.2"
