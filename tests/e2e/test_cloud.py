"""A cluster in a cloud: the plugin ``libcloud`` against a cloud in a box, over SSH, as on Amazon's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

from kubo_sdk.engine.retry import wait_until

from .box.box import PORT, Box, box
from .losing import resize, run_workload, running_pods
from .residue import residue
from .site import Site

pytestmark = pytest.mark.e2e

SHAPE = (("etcd", 1), ("master", 2), ("worker", 1))
# The first address of the default VPC: the box's own, where the director is.
DIRECTOR = "172.31.0.1/32"
# A status waits two seconds for everybody, which is little where this host is busy: it is asked for again.
PATIENCE_SECONDS = 120
# What runs on each machine of the CPI local, too.
UNITS = {
    "etcd": {"etcd"},
    "master": {"kube-apiserver", "kube-controller-manager", "kube-scheduler"},
    "worker": {"containerd", "kube-proxy", "kubelet", "kubo-cluster-dns", "kubo-flannel"},
}


@frozen(kw_only=True)
class Cloud:
    """A running cluster and the cloud it is in."""

    site: Site
    spec: Path
    box: Box

    def instance(self, name: str) -> dict[str, Any]:
        """The one running instance that fills the slot *name*."""
        (found,) = [each for each in self.running() if each["tags"]["kubo-instance"] == name]
        return dict(found)

    def running(self) -> list[dict[str, Any]]:
        return [each for each in self.box.instances() if each["state"] == "running"]

    def is_whole(self) -> bool:
        """Nothing to do, and everybody healthy before patience ends."""
        assert self.site.plan(self.spec)["steps"] == []
        wait_until(
            lambda: self.site.kubo(self.spec, "status", check=False).returncode == 0 or None,
            what=f"the health of {self.spec}",
            timeout=PATIENCE_SECONDS,
        )
        return True

    def edit(self, section: str, **values: Any) -> None:
        document = yaml.safe_load(self.spec.read_text())
        document[section] = {**document.get(section, {}), **values}
        self.spec.write_text(yaml.safe_dump(document))


def options(home: Path) -> dict[str, dict[str, Any]]:
    """The sections ``cpi`` and ``ingress`` of the spec; the box believes whatever key it is shown."""
    key = home / "key"
    key.write_text("AKIAINTHEBOX")
    zones = {"z1": "us-east-1a", "z2": "us-east-1b", "z3": "us-east-1c"}
    api = {"host": "127.0.0.1", "port": PORT, "secure": False}
    api |= {"access_key": {"file": str(key)}, "secret_key": {"file": str(key)}}
    machines = {"image": "ami-12c6146b", "zones": {name: {"zone": zone} for name, zone in zones.items()}, **api}
    cpi = {"provider": "libcloud", "driver": "ec2", "admin_cidrs": [DIRECTOR], "ec2": machines}
    balancers = {"zones": list(zones.values()), **api}
    return {"cpi": cpi, "ingress": {"provider": "libcloud-lb", "driver": "ec2", "ec2": balancers}}


@pytest.fixture(scope="module")
def cloud(shared_site: Site) -> Iterator[Cloud]:
    site, before = shared_site, residue(shared_site)
    with box(site) as running:
        empty = running.inventory()
        spec = site.spec("cloud", SHAPE, **options(running.home))
        try:
            site.kubo(spec, "up")
            yield Cloud(site=site, spec=spec, box=running)
            site.kubo(spec, "delete", "--yes")
            assert running.inventory() == empty
        finally:
            # Without the box nobody could delete it any more.
            spec.unlink()
    assert residue(site) == before


def test_the_cluster_is_the_same_as_on_this_host(cloud: Cloud) -> None:
    assert cloud.is_whole()
    for role, units in UNITS.items():
        told = cloud.box.run(cloud.instance(f"{role}/0")["id"], "systemctl", "is-active", *sorted(units))
        assert told.split() == ["active"] * len(units), (role, told)
    nodes = json.loads(cloud.site.kubectl(cloud.spec, "get", "nodes", "-o", "json"))["items"]
    assert [node["spec"]["providerID"] for node in nodes] == [f"aws:///us-east-1a/{cloud.instance('worker/0')['id']}"]


def test_kubectl_and_pods_go_through_the_balancer(cloud: Cloud) -> None:
    status = cloud.site.status(cloud.spec)
    masters = sorted(each["address"] for each in status["instances"] if each["role"] == "master")
    assert masters in cloud.box.members().values()
    assert not any(f"//{master}:" in status["endpoint"] for master in masters)
    run_workload(cloud.site, cloud.spec)
    for pod in running_pods(cloud.site, cloud.spec):
        assert cloud.site.kubectl(cloud.spec, "exec", pod, "--", "hostname").strip() == pod


def test_a_master_that_was_terminated_is_replaced_behind_the_balancer(cloud: Cloud) -> None:
    lost = cloud.instance("master/0")
    cloud.box.terminate(lost["id"])
    cloud.site.kubo(cloud.spec, "heal")
    assert cloud.is_whole()
    masters = sorted(cloud.instance(f"master/{index}")["address"] for index in range(2))
    assert masters in cloud.box.members().values()
    assert cloud.instance("master/0")["id"] != lost["id"]


def test_scaling_survives_throttling_and_an_answer_that_was_lost(cloud: Cloud) -> None:
    resize(cloud.spec, worker=2)
    # The first request is turned down, the second one done without an answer.
    cloud.box.arm("throttled", "RunInstances")
    cloud.box.arm("lost", "RunInstances", 2)
    cloud.site.kubo(cloud.spec, "up")
    assert cloud.is_whole()
    assert sorted(each["tags"]["kubo-instance"] for each in cloud.running()) == [
        "etcd/0", "master/0", "master/1", "worker/0", "worker/1"
    ]  # fmt: skip


def test_a_change_whose_connections_break_ends_all_the_same(cloud: Cloud) -> None:
    workers = [cloud.instance(f"worker/{index}")["id"] for index in range(2)]
    cloud.edit("kubernetes", extra_args={"kubelet": {"v": "3"}})
    command = cloud.site.kubo_command(cloud.spec, "up")
    broken = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while process.poll() is None and broken < 4:
            broken += sum(int(cloud.box.run(worker, "pkill", "--count", "-f", "^sshd: kubo")) for worker in workers)
        told = process.communicate()[0]
    assert (process.returncode, broken >= 4) == (0, True), told
    assert cloud.is_whole()


def test_a_machine_with_a_strange_host_key_is_named_and_not_paid_for(cloud: Cloud) -> None:
    before, inventory = cloud.spec.read_text(), cloud.box.inventory()
    resize(cloud.spec, worker=3)
    cloud.box.arm("stranger", "RunInstances", 9)
    refused = cloud.site.kubo(cloud.spec, "up", check=False)
    cloud.spec.write_text(before)
    cloud.box.disarm()
    assert refused.returncode != 0
    assert "host key" in refused.stderr, refused.stderr
    assert "Traceback" not in refused.stderr
    assert cloud.box.inventory() == inventory
    assert cloud.is_whole()
