"""A real cluster whose authorities and keys are all rotated while its API and a pod are served without a failure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.engine.retry import wait_until

from .losing import is_whole
from .rotated import asked, certificates
from .site import Site

pytestmark = pytest.mark.e2e

SHAPE = (("etcd", 3), ("master", 2), ("worker", 1), ("proxy", 1))
INSTANCES = ("etcd/0", "etcd/1", "etcd/2", "master/0", "master/1", "worker/0", "proxy/0")
MARK = "98765"
POD = f"""
apiVersion: v1
kind: Pod
metadata: {{name: asker}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: sleeper
      image: kubo.local/busybox:1
      imagePullPolicy: Never
      command: [sleep, "{MARK}"]
"""

RAW_SECRETS = """
import sys
from pathlib import Path
from kubo_sdk import Cluster
from kubo_sdk.observe import find_machines
from kubo_sdk.steps.access import etcd_client
from kubo_sdk.steps.credentials import read_credentials
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
state = find_machines(cluster.spec, cluster.providers)
read_credentials(cluster.providers.credential_store, cluster.spec, state)
client = etcd_client(cluster.spec, state)
root = state.credentials["etcd-root"].value
client.authenticate(root.username, root.password)
print({found.value.split(b":")[4].decode() for found in client.list("/registry/secrets/")})
"""


@pytest.fixture(scope="module")
def rotated(shared_site: Site) -> tuple[Site, Path, set[str], dict[str, Any]]:
    """The cluster after everything was rotated, what its machines held before, and what askers were told meanwhile."""
    spec = shared_site.spec("rotated", shape=SHAPE)
    shared_site.kubo(spec, "up")
    manifest = shared_site.home / "asker.yaml"
    manifest.write_text(POD)
    # A pod of its own needs the account that Kubernetes makes for it a moment after the API answers.
    wait_until(
        lambda: shared_site.kubectl(spec, "get", "serviceaccount", "default", check=False) or None,
        what="the service account of pods",
        timeout=60,
    )
    shared_site.kubectl(spec, "apply", "-f", str(manifest))
    manifest.unlink()
    shared_site.kubectl(spec, "wait", "--for=condition=Ready", "pod/asker", "--timeout=60s")
    before = {pem for found in certificates(shared_site, spec, INSTANCES).values() for pem in found}
    with asked(shared_site, spec, MARK) as told:
        shared_site.kubo(spec, "rotate", "--all", "--settle", "5")
    return shared_site, spec, before, told


Rotated = tuple[Site, Path, set[str], dict[str, Any]]


def test_everybody_was_answered_all_the_time(rotated: Rotated) -> None:
    _, _, _, told = rotated
    for who in ("administrator", "cached", "pod"):
        assert told[who]["asked"] > 100
        assert told[who]["troubles"] == []


def test_no_machine_and_no_pod_holds_any_certificate_of_before(rotated: Rotated) -> None:
    site, spec, before, _ = rotated
    left = {place for place, found in certificates(site, spec, INSTANCES).items() if before.intersection(found)}
    assert left == set()


def test_the_cluster_publishes_the_new_authorities_alone(rotated: Rotated) -> None:
    site, spec, before, _ = rotated
    everything = site.kubectl(spec, "get", "configmaps", "--all-namespaces", "-o", "json")
    for item in json.loads(everything)["items"]:
        for key, text in (item.get("data") or {}).items():
            old = [pem for pem in before if pem in text.replace("\n", "")]
            assert old == [], f"{item['metadata']['name']}: {key}"


def test_every_secret_is_encrypted_with_the_new_key_alone(rotated: Rotated) -> None:
    site, spec, _, _ = rotated
    configured = site.kubo(spec, "exec", "master/0", "--", "grep", "name:", "/etc/kubernetes/encryption.yaml").stdout
    names = {line.split()[-1] for line in configured.splitlines()}
    used = site.run(site.command(sys.executable, "-c", RAW_SECRETS, str(spec), str(site.state))).stdout
    assert len(names) == 1
    assert used.strip() == str(names)


def test_the_cluster_is_whole_and_its_workload_was_not_touched(rotated: Rotated) -> None:
    site, spec, _, _ = rotated
    assert is_whole(site, spec)
    pod = json.loads(site.kubectl(spec, "get", "pod", "asker", "-o", "json"))
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
