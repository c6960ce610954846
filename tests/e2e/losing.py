"""Takes machines and disks away behind the SDK's back, and asks what the tests of repairs all want to know."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from .site import Site

LOSE = """
import sys
from pathlib import Path
from kubo_sdk import Cluster
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
cpi = cluster.providers.cpi
for vm in cpi.list_vms(cluster.spec.id):
    if vm.instance in sys.argv[3:]:
        cpi.delete_vm(vm.id)
for disk in cpi.list_disks(cluster.spec.id):
    if disk.instance in sys.argv[3:]:
        cpi.delete_disk(disk.id)
"""

CONTENT = """
import json
import sys
from pathlib import Path
from kubo_sdk import Cluster
from kubo_sdk.observe import observe
from kubo_sdk.ports.credentials import User, value_of
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.steps.access import etcd_client, etcd_hosts
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
_, state = observe(cluster.spec, cluster.providers, cluster.releases, now=SystemClock().now())
client = etcd_client(cluster.spec, state)
root = value_of(state.credentials, "etcd-root", User)
client.authenticate(root.username, root.password)
known = {host: client.content(host) for host in etcd_hosts(cluster.spec, state)}
oldest = min(revision for revision, _ in known.values())
print(json.dumps([client.content(host, oldest)[1] for host in known]))
"""

WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: moving}
spec:
  replicas: 2
  selector: {matchLabels: {app: moving}}
  template:
    metadata: {labels: {app: moving}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: sleeper
          image: kubo.local/busybox:1
          imagePullPolicy: Never
          command: [sleep, "100000"]
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: stay}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: moving}}
"""


def lose(site: Site, spec: Path, *instances: str) -> None:
    """The machines of these instances, and their disks, are gone."""
    site.run(site.command(sys.executable, "-c", LOSE, str(spec), str(site.state), *instances))


def content(site: Site, spec: Path) -> list[int]:
    """A digest of what each member of etcd holds, at the newest revision that all of them have."""
    return list(json.loads(site.run(site.command(sys.executable, "-c", CONTENT, str(spec), str(site.state))).stdout))


def resize(spec: Path, **counts: int) -> None:
    """Change how many instances the groups of the spec have."""
    document = yaml.safe_load(spec.read_text())
    for group in document["instance_groups"]:
        group["instances"] = counts.get(group["name"], group["instances"])
    spec.write_text(yaml.safe_dump(document))


def run_workload(site: Site, spec: Path) -> None:
    """Two pods, of which a budget keeps one."""
    manifest = site.home / "moving.yaml"
    manifest.write_text(WORKLOAD)
    site.kubectl(spec, "apply", "-f", str(manifest))
    manifest.unlink()
    site.kubectl(spec, "rollout", "status", "deployment/moving", "--timeout=60s")


def is_whole(site: Site, spec: Path) -> bool:
    """Nothing to do, healthy, and no machine, disk, Node or credential of anybody the spec does not list."""
    plan, status = site.plan(spec)["steps"], site.status(spec)
    assert plan == [], plan
    assert status["healthy"], status
    nodes = json.loads(site.kubectl(spec, "get", "nodes", "-o", "json"))["items"]
    workers = [each["instance"] for each in status["instances"] if each["role"] == "worker"]
    labels = sorted(node["metadata"]["labels"]["kubo/instance"].replace("-", "/") for node in nodes)
    return labels == sorted(workers)


def running_pods(site: Site, spec: Path) -> dict[str, str]:
    """The Node of each running pod of the workload."""
    pods = json.loads(site.kubectl(spec, "get", "pods", "-l", "app=moving", "-o", "json"))["items"]
    return {
        pod["metadata"]["name"]: pod["spec"]["nodeName"]
        for pod in pods
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    }
