"""A cluster whose only way in is Cloud Foundry's TCP router: no request that starts after a route is gone fails.

UAA, routing API and router are the stand-in of the plugin's own tests, with a real HAProxy; NATS is real.  The tests
follow each other.  How long each route took to go is printed (pytest -rA shows it).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from kubo_sdk.engine.retry import wait_until

from .cloud_foundry import ADDRESS, APP_DOMAIN, PORT, Asked, CloudFoundry, clients, cloud_foundry, http_router, nats
from .losing import is_whole
from .site import Site

pytestmark = pytest.mark.e2e

SHOP_PORT, NODE_PORT = 1100, 30090
SHOP = f"""
apiVersion: v1
kind: Service
metadata: {{name: shop, labels: {{tcp-route-sync: "{SHOP_PORT}", http-route-sync: shop}}}}
spec:
  type: NodePort
  selector: {{app: shop}}
  ports: [{{port: 80, targetPort: 8080, nodePort: {NODE_PORT}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: kubo.local/busybox:1
          imagePullPolicy: Never
          command: [sh, -c, "mkdir -p /www && echo open > /www/index.html && exec httpd -f -p 8080 -h /www"]
          readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 1}}
"""

SHAPE = (("etcd", 1), ("master", 2), ("worker", 1))
TTL = 9


@frozen(kw_only=True)
class Cluster:
    site: Site
    spec: Path
    cf: CloudFoundry

    def on(self, instance: str, *command: str) -> None:
        self.site.kubo(self.spec, "exec", instance, "--", *command)

    def backend(self, instance: str) -> str:
        """How the router knows that machine."""
        told = self.site.status(self.spec)["instances"]
        address = next(each["address"] for each in told if each["instance"] == instance)
        return f"{PORT}={address}:8443"

    def node_port(self) -> str:
        """Where the worker serves the Service of these tests."""
        told = self.site.status(self.spec)["instances"]
        return next(f"{each['address']}:{NODE_PORT}" for each in told if each["role"] == "worker")

    @contextmanager
    def loses(self, case: str, backend: str, act: Callable[[], object]) -> Iterator[Asked]:
        """*act* makes the router stop sending anybody to *backend*, and nobody who comes later notices anything."""
        with clients(self.site, self.spec) as asked:
            # Some requests before, so that there is something to compare with.
            self.cf.await_backends(lambda found: len(found) == 2, "both masters are registered")
            began = time.time()
            act()
            # A machine that is made anew may have its address again, and be registered, by now.
            gone = self.cf.await_backends(lambda found: backend not in found, f"the route is gone: {case}", since=began)
            time.sleep(1.0)
            yield asked
        assert len(asked.requests) > 20
        later = [each for each in asked.requests if each[0] > gone]
        assert later, "nobody asked after the route was gone"
        assert asked.failed(gone) == []
        print(f"{case}: the route was gone after {gone - began:.2f} s; {len(asked.failed())} requests failed before")


@pytest.fixture(scope="module")
def cluster(shared_site: Site) -> Iterator[Cluster]:
    """The cluster, deployed.  It goes before its Cloud Foundry does, also after a failure."""
    with cloud_foundry(shared_site) as cf, nats(shared_site) as http:
        ingress = {"provider": "cfrouting", **cf.options, **http, "external_port": PORT, "ttl": TTL}
        spec = shared_site.spec("routed", shape=SHAPE, ingress=ingress)
        try:
            shared_site.kubo(spec, "up")
            yield Cluster(site=shared_site, spec=spec, cf=cf)
        finally:
            if spec.exists():
                shared_site.kubo(spec, "delete", "--yes", check=False)
                spec.unlink()


def both(found: set[str]) -> bool:
    return len(found) == 2


def test_without_proxies_the_router_is_the_only_way_in_for_people_and_for_workers(cluster: Cluster) -> None:
    site, spec = cluster.site, cluster.spec
    assert is_whole(site, spec)
    assert site.status(spec)["endpoint"] == f"https://{ADDRESS}:{PORT}"
    assert "Ready" in site.kubectl(spec, "get", "nodes")
    done = site.kubo(spec, "exec", "worker/0", "--", "grep", "-rh", "server:", "/etc/kubernetes")
    assert set(done.stdout.split()) == {"server:", f"https://{ADDRESS}:{PORT}"}


def test_a_master_that_is_stopped_leaves_at_once_and_nobody_notices(cluster: Cluster) -> None:
    site, spec, backend = cluster.site, cluster.spec, cluster.backend("master/0")
    with cluster.loses("stopped", backend, lambda: site.kubo(spec, "stop", "master/0")) as asked:
        site.kubo(spec, "start", "master/0")
        cluster.cf.await_backends(both, "the master is back")
    assert asked.failed() == []


def test_a_master_that_is_replaced_appears_by_itself(cluster: Cluster) -> None:
    site, spec, backend = cluster.site, cluster.spec, cluster.backend("master/1")
    with cluster.loses("recreated", backend, lambda: site.kubo(spec, "recreate", "master/1")) as asked:
        cluster.cf.await_backends(both, "the new master is registered")
    assert asked.failed() == []
    assert cluster.backend("master/1") in cluster.cf.backends()


def test_a_master_whose_api_server_hangs_leaves_soon(cluster: Cluster) -> None:
    backend = cluster.backend("master/0")
    hang, go_on = (("systemctl", "kill", f"--signal={signal}", "kube-apiserver") for signal in ("STOP", "CONT"))
    with cluster.loses("hung", backend, lambda: cluster.on("master/0", *hang)):
        cluster.on("master/0", *go_on)
        cluster.cf.await_backends(both, "the master is back")


def test_a_master_whose_api_server_shuts_down_by_itself_leaves_before_it_is_deaf(cluster: Cluster) -> None:
    backend, end = cluster.backend("master/1"), ("systemctl", "kill", "--signal=TERM", "kube-apiserver")
    with cluster.loses("shut down", backend, lambda: cluster.on("master/1", *end)):
        cluster.cf.await_backends(both, "the master is back")


def test_a_master_that_is_cut_off_leaves_when_its_route_ends(cluster: Cluster) -> None:
    backend = cluster.backend("master/0")
    link = ("ip", "link", "set", "eth0")
    with cluster.loses("partitioned", backend, lambda: cluster.on("master/0", *link, "down")):
        cluster.on("master/0", "sh", "-c", f"{' '.join(link)} up; ip route replace default via 10.97.0.1")
        cluster.cf.await_backends(both, "the master is back")


def test_an_outage_of_cloud_foundry_costs_no_route_for_longer_than_it_lasts(cluster: Cluster) -> None:
    cf = cluster.cf
    cf.tell("stop uaa")
    cf.tell("revoke")
    cf.tell("stop api")
    cf.await_backends(lambda found: not found, "the routes ended, for nobody could renew them")
    started = time.time()
    cf.tell("start api")
    cf.tell("start uaa")
    back = cf.await_backends(both, "both masters are back")
    print(f"outage: both routes were back after {back - started:.2f} s")
    with clients(cluster.site, cluster.spec) as asked:
        time.sleep(2.0)
    assert asked.requests
    assert asked.failed() == []
    assert is_whole(cluster.site, cluster.spec)


def test_a_labelled_service_is_reached_through_the_routers(cluster: Cluster) -> None:
    site, spec, cf = cluster.site, cluster.spec, cluster.cf
    manifest = site.home / "shop.yaml"
    manifest.write_text(SHOP)
    site.kubectl(spec, "apply", "-f", str(manifest))
    manifest.unlink()
    site.kubectl(spec, "rollout", "status", "deployment/shop", "--timeout=60s")
    worker = cluster.node_port()
    with http_router(site) as heard:
        cf.await_backends(lambda found: f"{SHOP_PORT}={worker}" in found, "the route of the service")
        wait_until(lambda: heard.backends(f"shop.{APP_DOMAIN}") == {worker} or None, what="the HTTP route", timeout=90)
    page = site.run(site.command("curl", "--silent", "--fail", f"http://{ADDRESS}:{SHOP_PORT}/")).stdout
    assert page.strip() == "open"


def test_the_routes_of_services_outlive_the_master_that_leads(cluster: Cluster) -> None:
    site, spec, cf = cluster.site, cluster.spec, cluster.cf
    backend, began = f"{SHOP_PORT}={cluster.node_port()}", time.time()
    leader = site.kubectl(
        spec, "-n", "kube-system", "get", "lease", "kubo-cf-routes", "-o", "jsonpath={.spec.holderIdentity}"
    )
    site.kubo(spec, "stop", leader)
    with http_router(site) as heard:
        wait_until(lambda: heard.backends(f"shop.{APP_DOMAIN}") or None, what="the new leader's voice", timeout=90)
    site.kubo(spec, "start", leader)
    cf.await_backends(lambda found: len(found) == 3, "the master is back")
    assert all(backend in backends for at, backends in cf.tell("report")["applied"] if at > began)


def test_a_bad_label_and_the_port_of_the_api_are_events_on_the_service(cluster: Cluster) -> None:
    site, spec = cluster.site, cluster.spec

    def told(reason: str) -> str | None:
        found = site.kubectl(spec, "get", "events", f"--field-selector=reason={reason}", "-o", "jsonpath={..message}")
        return found or None

    for label, reason, words in (("eighty", "BadRoute", "is no port"), (str(PORT), "RouteRefused", "leads to the API")):
        site.kubectl(spec, "label", "service", "shop", f"tcp-route-sync={label}", "--overwrite")
        assert words in wait_until(lambda reason=reason: told(reason), what=f"the event {reason}", timeout=60)
    cluster.cf.await_backends(both, "only the API has routes")
    site.kubectl(spec, "label", "service", "shop", f"tcp-route-sync={SHOP_PORT + 1}", "--overwrite")
    cluster.cf.await_backends(lambda found: f"{SHOP_PORT + 1}={cluster.node_port()}" in found, "the other port")


def test_a_service_that_is_deleted_has_no_routes(cluster: Cluster) -> None:
    site, spec = cluster.site, cluster.spec
    with http_router(site) as heard:
        wait_until(lambda: heard.backends(f"shop.{APP_DOMAIN}") or None, what="the HTTP route", timeout=90)
        site.kubectl(spec, "delete", "service", "shop")
        wait_until(lambda: not heard.backends(f"shop.{APP_DOMAIN}") or None, what="its end", timeout=90)
    cluster.cf.await_backends(both, "only the API has routes")


def test_no_route_is_left_after_delete(cluster: Cluster) -> None:
    site, spec = cluster.site, cluster.spec
    site.kubectl(spec, "expose", "deployment", "shop", "--type=NodePort", "--port=80", "--target-port=8080")
    site.kubectl(spec, "label", "service", "shop", f"tcp-route-sync={SHOP_PORT}")
    cluster.cf.await_backends(lambda found: len(found) == 3, "the route of the service")
    site.kubo(spec, "delete", "--yes")
    assert cluster.cf.tell("report")["routes"] == []
    cluster.cf.await_backends(lambda found: not found, "the router serves nobody")
