"""What `kubo up` brings back: lost machines, stopped machines, and a cluster whose disks were kept."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from .site import SMALL, Site

pytestmark = pytest.mark.e2e

DELETE_MACHINE = """
import sys
from pathlib import Path
from kubo_sdk import Cluster
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
cpi = cluster.providers.cpi
for vm in cpi.list_vms(cluster.spec.id):
    if vm.instance == sys.argv[3]:
        cpi.delete_vm(vm.id)
"""


def nodes(site: Site, spec: Path) -> dict[str, str]:
    """Instance slug by Node name."""
    listed = site.kubectl(
        spec, "get", "nodes", "-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.labels.kubo/instance} {end}"
    ).split()
    return dict(zip(listed[::2], listed[1::2], strict=True))


def delete_machine(site: Site, spec: Path, instance: str) -> None:
    """Take a machine away behind the SDK's back."""
    import sys  # noqa: PLC0415

    site.run(site.command(sys.executable, "-c", DELETE_MACHINE, str(spec), str(site.state), instance))


def stop_machine(site: Site, spec: Path, instance: str) -> None:
    """Kill a machine's init, as a host that loses power would."""
    answer = site.kubo(spec, "exec", instance, "--", "sh", "-c", "grep NSpid /proc/1/status; cat /proc/1/stat")
    assert answer.returncode == 0
    slug = instance.replace("/", "-")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            inside = (entry / "status").read_text()
            root = (entry / "mountinfo").read_text()
        except OSError:
            continue
        if "\t1\n" in inside.partition("NSpid:")[2].partition("\n")[0] + "\n" and f"{site.home}" in root:
            environment = (entry / "root/etc/hostname").read_text().strip()
            if environment == slug:
                os.kill(int(entry.name), signal.SIGKILL)
                return
    raise AssertionError(f"no init of {instance} found")


def test_lost_machines_of_every_group_are_made_again(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("lossy")
    site.kubo(spec, "up")
    site.kubectl(spec, "create", "configmap", "kept", "--from-literal=a=b")
    for instance in ("etcd/1", "master/0", "worker/2", "proxy/0"):
        delete_machine(site, spec, instance)
    created = {step["id"] for step in site.plan(spec)["steps"] if step["id"].startswith("create vm")}
    assert created == {"create vm etcd/1", "create vm master/0", "create vm worker/2", "create vm proxy/0"}
    site.kubo(spec, "up")
    assert site.plan(spec)["steps"] == []
    assert site.status(spec)["healthy"]
    assert "kept" in site.kubectl(spec, "get", "configmaps")
    assert sorted(nodes(site, spec).values()) == ["worker-0", "worker-1", "worker-2"]


def test_a_cluster_whose_disks_were_kept_comes_back_with_its_data(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("kept", shape=(("etcd", 3), ("master", 1), ("worker", 1), ("proxy", 1)))
    site.kubo(spec, "up")
    site.kubectl(spec, "create", "configmap", "kept", "--from-literal=a=b")
    site.kubo(spec, "delete", "--yes", "--keep-disks")
    assert all(i["state"] == "missing" for i in site.status(spec)["instances"])
    site.kubo(spec, "up")
    assert "kept" in site.kubectl(spec, "get", "configmaps")
    assert site.plan(spec)["steps"] == []
    assert site.status(spec)["healthy"]


def test_machines_that_stopped_are_started_again(empty_site: Site) -> None:
    site = empty_site
    spec = site.spec("stopped", shape=SMALL)
    site.kubo(spec, "up")
    site.kubectl(spec, "create", "configmap", "kept", "--from-literal=a=b")
    for instance in ("etcd/0", "master/0", "worker/0", "proxy/0"):
        stop_machine(site, spec, instance)
    assert {i["state"] for i in site.status(spec)["instances"]} == {"stopped"}
    site.kubo(spec, "up")
    assert "kept" in site.kubectl(spec, "get", "configmaps")
    assert site.plan(spec)["steps"] == []
    assert site.status(spec)["healthy"]
