"""A cluster with 10,000 objects is backed up, and restored: into itself, and into machines made for it."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import pytest
import yaml

from .site import SMALL, Site

pytestmark = pytest.mark.e2e

WORKLOAD = Path(__file__).parent / "workload.yml"
OBJECTS = 10_000

MAKE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from kubo_sdk import Cluster
from kubo_sdk.observe import find_machines
from kubo_sdk.steps.access import any_server_client
from kubo_sdk.steps.credentials import read_credentials
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
state = find_machines(cluster.spec, cluster.providers)
read_credentials(cluster.providers.credential_store, cluster.spec, state)
client = any_server_client(cluster.spec, state, timeout=30.0)
def make(number):
    kind, data = ("Secret", "stringData") if number % 10 == 0 else ("ConfigMap", "data")
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": f"made-{number:05}", "namespace": "many"},
            data: {"text": f"{number} " * 20}}
    client.create(body)
with ThreadPoolExecutor(16) as pool:
    list(pool.map(make, range(int(sys.argv[3]))))
"""


def digest(site: Site, spec: Path) -> tuple[int, str]:
    """How many objects were made, and a digest of their names, uids and content."""
    found = json.loads(site.kubectl(spec, "get", "configmaps,secrets", "-n", "many", "-o", "json", "--chunk-size=0"))
    kept = [
        (each["kind"], each["metadata"]["name"], each["metadata"]["uid"], sorted(each["data"].items()))
        for each in found["items"]
        if each["metadata"]["name"].startswith("made-")
    ]
    return len(kept), hashlib.sha256(json.dumps(sorted(kept)).encode()).hexdigest()


def timed(site: Site, spec: Path, *arguments: str) -> str:
    """Run a command of kubo and show how long it took."""
    started = time.monotonic()
    output = site.kubo(spec, *arguments).stdout.strip()
    print(f"kubo {' '.join(arguments)}: {time.monotonic() - started:.1f} s: {output}")
    return output


def check_workload(site: Site, spec: Path) -> None:
    """The pods of the workload run on a machine of now, and one answers as its name."""
    site.kubectl(spec, "rollout", "status", "deployment/hello", "--timeout=120s")
    nodes = json.loads(site.kubectl(spec, "get", "nodes", "-o", "json"))["items"]
    assert len(nodes) == 1
    pods = json.loads(site.kubectl(spec, "get", "pods", "-l", "app=hello", "-o", "json"))["items"]
    running = [
        pod for pod in pods if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]
    name = running[0]["metadata"]["name"]
    assert running[0]["spec"]["nodeName"] == nodes[0]["metadata"]["name"]
    assert site.kubectl(spec, "exec", name, "--", "hostname").strip() == name


def test_ten_thousand_objects_come_back_into_the_same_and_into_a_fresh_cluster(empty_site: Site) -> None:
    site = empty_site
    backup = {"to": str(site.home / "backups"), "key_file": str(site.home / "backup.key")}
    spec = site.spec("saved", shape=SMALL, backup=backup)
    timed(site, spec, "up")
    site.kubectl(spec, "create", "namespace", "many")
    workload = list(yaml.safe_load_all(WORKLOAD.read_text()))
    for each in workload:
        if each["kind"] == "Deployment":
            each["spec"]["replicas"] = 1
    (site.home / "workload.yaml").write_text(yaml.safe_dump_all(workload))
    site.kubectl(spec, "apply", "-f", str(site.home / "workload.yaml"))
    site.run(site.command(sys.executable, "-c", MAKE, str(spec), str(site.state), str(OBJECTS)))
    check_workload(site, spec)
    before = digest(site, spec)
    assert before[0] == OBJECTS
    name = json.loads(timed(site, spec, "backup", "--json"))["name"]
    site.kubectl(spec, "delete", "namespace", "many", "--wait=false")
    site.kubectl(spec, "delete", "deployment", "hello")
    site.kubectl(spec, "create", "configmap", "later", "--from-literal=a=b")

    timed(site, spec, "restore", name, "--force")
    assert digest(site, spec) == before
    assert "later" not in site.kubectl(spec, "get", "configmaps")
    check_workload(site, spec)
    assert site.plan(spec)["steps"] == []

    site.kubo(spec, "delete", "--yes")
    fresh = Site(netns=site.netns, home=site.home, directory="fresh")
    timed(fresh, spec, "restore", "latest")
    assert digest(fresh, spec) == before
    check_workload(fresh, spec)
    assert fresh.plan(spec)["steps"] == []
    assert fresh.status(spec)["healthy"]
    fresh.kubo(spec, "delete", "--yes")
