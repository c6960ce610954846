"""Names inside a real cluster, asked by its pods: all there are, while machines and programs die, and with CoreDNS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from kubo_sdk_local import processes
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.machines import init_file

from kubo_sdk.model.instance import ClusterId

from .site import Site

pytestmark = pytest.mark.e2e

SHAPE = (("etcd", 1), ("master", 1), ("worker", 2), ("proxy", 1))
HERE = Path(__file__).parent
ZONE = "svc.cluster.local"
API = "10.100.200.1"
RESOLVER, OUTSIDE = "10.97.0.1", "192.0.2.80"
PATIENCE = 60.0
UNITS = ("kubo-cluster-dns", "kubo-cluster-dns-server", "kubo-cluster-dns-recursor")

ID = ClusterId(director="kubo", name="named")
IN_POD = ("sh", "-c", 'pid=$(pgrep -x sleep) && exec nsenter --target "$pid" --all -- nslookup -type="$1" "$2"', "sh")

Cluster = tuple[Site, Path]


@pytest.fixture(scope="module")
def cluster(shared_site: Site) -> Iterator[Cluster]:
    """With a resolver outside, and two pods of a headless Service, one on each worker."""
    site = shared_site
    dns = {"provider": "powerdns", "forward": [RESOLVER]}
    spec = site.spec("named", shape=SHAPE, cluster_dns=dns)
    site.kubo(spec, "up")
    command = site.command(sys.executable, str(HERE / "outside.py"), RESOLVER, f"www.outside.example={OUTSIDE}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as resolver:
        try:
            assert resolver.stdout is not None
            assert resolver.stdout.readline() == "ready\n"
            site.kubectl(spec, "apply", "-f", str(HERE / "named.yml"))
            site.kubectl(spec, "rollout", "status", "statefulset/db", "--timeout=120s")
            yield site, spec
        finally:
            resolver.kill()


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> dict[str, str]:
    """The addresses of the pods by the workers they run on."""
    site, spec = cluster
    workers = {i["address"]: i["instance"] for i in site.status(spec)["instances"] if i["role"] == "worker"}
    items = json.loads(site.kubectl(spec, "get", "pods", "-o", "json"))["items"]
    return {workers[each["status"]["hostIP"]]: each["status"]["podIP"] for each in items}


def asked(cluster: Cluster, name: str, kind: str = "a", worker: str = "worker/0") -> tuple[str, ...]:
    """What a pod on *worker* is told: the answers in order, ``NXDOMAIN``, ``SERVFAIL``, or nothing at all."""
    _, _, answer = inside(cluster, worker, *IN_POD, kind, name).stdout.partition(":53\n")
    found = []
    for line in answer.splitlines():
        if line.startswith("** server can't find"):
            found.append(line.rpartition(": ")[2])
        elif line.startswith("Address: "):
            found.append(line.removeprefix("Address: "))
        elif "=" in line:
            found.append(line.partition("= ")[2])
    return tuple(sorted(found))


def inside(cluster: Cluster, instance: str, *command: str) -> subprocess.CompletedProcess[str]:
    """*command* on a machine, whatever of the cluster is away."""
    machine = Layout(cluster[0].home / "local").machine(ID, instance.replace("/", "-"))
    init = processes.recorded(str(init_file(machine)))
    assert init is not None, f"{instance} has no machine"
    enter = ("nsenter", f"--target={processes.pid_of(init)}", "--all", "--")
    return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=120, check=False)


def eventually(probe: Callable[[], object], wished: object, what: str) -> None:
    """*probe* gives *wished* in the end."""
    ends = time.monotonic() + PATIENCE
    while (found := probe()) != wished:
        assert time.monotonic() < ends, f"{what}: {found!r}, not {wished!r}"
        time.sleep(0.2)


def test_a_pod_is_told_every_kind_of_name(cluster: Cluster, pods: dict[str, str]) -> None:
    db, addresses = f"db.default.{ZONE}", tuple(sorted(pods.values()))
    eventually(lambda: asked(cluster, db), addresses, "the pods of the headless Service")
    assert asked(cluster, f"kubernetes.default.{ZONE}") == (API,)
    assert {asked(cluster, f"db-{number}.{db}") for number in range(2)} == {(each,) for each in addresses}
    ports = tuple(f"0 100 8080 db-{number}.{db}" for number in range(2))
    assert asked(cluster, f"_web._tcp.{db}", "srv") == ports
    reverse = ".".join(reversed(API.split(".")))
    assert asked(cluster, f"{reverse}.in-addr.arpa", "ptr") == (f"kubernetes.default.{ZONE}",)
    assert asked(cluster, f"shop.default.{ZONE}") == (OUTSIDE, "www.outside.example")
    assert asked(cluster, "www.outside.example") == (OUTSIDE,)
    assert asked(cluster, f"nobody.default.{ZONE}") == ("NXDOMAIN",)
    assert asked(cluster, "nobody.outside.example") == ("NXDOMAIN",)


def test_a_pod_is_told_where_the_machines_are(cluster: Cluster) -> None:
    site, spec = cluster
    for each in site.status(spec)["instances"]:
        name = f"{each['instance'].replace('/', '-')}.named.kubo.internal"
        assert asked(cluster, name) == (each["address"],)


def test_a_pod_finds_a_service_by_its_short_name(cluster: Cluster, pods: dict[str, str]) -> None:
    """The C library goes along the search path that the kubelet wrote."""
    site, spec = cluster
    told = site.kubectl(spec, "exec", "db-0", "--", "ping", "-c", "1", "-W", "5", "db-1.db")
    assert told.splitlines()[0].partition("(")[2].partition(")")[0] in pods.values()
    resolv_conf = site.kubectl(spec, "exec", "db-0", "--", "cat", "/etc/resolv.conf")
    assert "nameserver 10.100.200.10\n" in resolv_conf
    assert resolv_conf.startswith(f"search default.{ZONE} {ZONE} cluster.local")


def test_the_clusters_plan_is_empty_and_its_units_are_known(cluster: Cluster) -> None:
    site, spec = cluster
    assert site.plan(spec)["steps"] == []
    assert site.status(spec)["healthy"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_program_that_is_killed_is_back_and_the_other_worker_notices_nothing(cluster: Cluster, unit: str) -> None:
    name = f"kubernetes.default.{ZONE}"
    inside(cluster, "worker/0", "systemctl", "kill", "--signal=KILL", f"{unit}.service")
    assert asked(cluster, name, worker="worker/1") == (API,)
    eventually(lambda: asked(cluster, name), (API,), "the killed one's answer")
    eventually(lambda: asked(cluster, f"db-7.db.default.{ZONE}"), ("NXDOMAIN",), "an answer nobody kept")


def test_without_the_api_everything_is_answered_even_after_a_restart(cluster: Cluster, pods: dict[str, str]) -> None:
    db, addresses = f"db.default.{ZONE}", tuple(sorted(pods.values()))
    snapshot = "until test -s /var/cache/kubo-cluster-dns/known.json; do sleep 0.2; done"
    inside(cluster, "worker/0", "timeout", "60", "sh", "-c", snapshot)
    inside(cluster, "master/0", "systemctl", "stop", "kube-apiserver")
    try:
        assert asked(cluster, db) == addresses
        inside(cluster, "worker/0", "systemctl", "restart", *UNITS)
        eventually(lambda: asked(cluster, db), addresses, "the answer after the restart")
        assert asked(cluster, f"nobody.default.{ZONE}") == ("NXDOMAIN",)
    finally:
        inside(cluster, "master/0", "systemctl", "start", "kube-apiserver")


def test_a_pod_that_is_gone_is_no_longer_named(cluster: Cluster, pods: dict[str, str]) -> None:
    site, spec = cluster
    eventually(lambda: site.kubo(spec, "kubectl", "--", "get", "--raw", "/readyz", check=False).stdout, "ok", "the API")
    gone = asked(cluster, f"db-1.db.default.{ZONE}")
    site.kubectl(spec, "scale", "statefulset/db", "--replicas=1")
    (worker,) = [worker for worker, address in pods.items() if (address,) != gone]
    eventually(lambda: asked(cluster, f"db-1.db.default.{ZONE}", worker=worker), ("NXDOMAIN",), worker)


def test_coredns_takes_over_where_the_spec_says_so(cluster: Cluster) -> None:
    """Its image cannot be had here; that its objects are taken and everything of the other is gone can be seen."""
    site, spec = cluster
    document = yaml.safe_load(spec.read_text())
    spec.write_text(yaml.safe_dump({**document, "cluster_dns": "coredns"}))
    site.kubo(spec, "up")
    assert site.plan(spec)["steps"] == []
    get = ("get", "--namespace=kube-system", "-o", "json")
    service = json.loads(site.kubectl(spec, *get, "service", "kube-dns"))
    assert service["spec"]["clusterIP"] == "10.100.200.10"
    assert service["spec"]["selector"] == {"k8s-app": "kube-dns"}
    assert "service.kubernetes.io/service-proxy-name" not in service["metadata"]["labels"]

    def pods() -> int:
        return len(json.loads(site.kubectl(spec, *get, "pods", "--selector=k8s-app=kube-dns"))["items"])

    eventually(pods, 2, "CoreDNS's pods")
    left = inside(cluster, "worker/0", "find", "/etc", "/opt/kubo", "-path", "*cluster-dns*", "-not", "-type", "d")
    assert left.stdout == ""
    assert "10.100.200.10" not in inside(cluster, "worker/0", "ip", "address", "show", "dev", "lo").stdout
