"""Routes of Services over two workers: real traffic reaches the pods, and a worker that goes leaves the routers first.

`test_cf` has what one worker shows: takeover by another master, events, removal.  The tests follow each other.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from kubo_sdk.engine.retry import wait_until

from .cloud_foundry import ADDRESS, APP_DOMAIN, PORT, CloudFoundry, cloud_foundry, http_router, nats
from .site import Site

pytestmark = pytest.mark.e2e

WEB, ADMIN, NEAR = 1100, 1101, 1102
HOST = f"shop.{APP_DOMAIN}"

# The pods stay on one worker, so that the other may go without them.
SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      terminationGracePeriodSeconds: 0
      nodeSelector: {{kubernetes.io/hostname: {node}}}
      containers:
        - name: web
          image: kubo.local/busybox:1
          imagePullPolicy: Never
          command:
            - sh
            - -c
            - mkdir /web /admin; echo open > /web/index.html; echo sesame > /admin/index.html;
              httpd -p 8081 -h /admin; exec httpd -f -p 8080 -h /web
          readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata:
  name: shop
  annotations:
    kubo-sdk/tcp-routes: '{{"web": {web}, "admin": {admin}}}'
    kubo-sdk/http-routes: '{{"admin": "shop"}}'
spec:
  type: NodePort
  selector: {{app: shop}}
  ports:
    - {{name: web, port: 80, targetPort: 8080, nodePort: 30080}}
    - {{name: admin, port: 81, targetPort: 8081, nodePort: 30081}}
---
apiVersion: v1
kind: Service
metadata: {{name: near, labels: {{tcp-route-sync: "{near}"}}}}
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: {{app: shop}}
  ports: [{{port: 80, targetPort: 8080, nodePort: 30082}}]
"""

# Asks until its input ends, each time anew; writes when each request began, and what went wrong.
CLIENT = """
import sys, threading, time, urllib.request
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
while not ended.wait(0.02):
    began, trouble = time.time(), ""
    try:
        assert urllib.request.urlopen(sys.argv[1], timeout=20).read() == b"open\\n"
    except OSError as error:
        trouble = str(error)
    print(began, trouble)
"""

# As the agent, but for what is none of its business.
FORBIDDEN = """
import json, ssl, urllib.error, urllib.request
told = json.load(open("/etc/kubo/cfrouting/services.json"))["api"]
context = ssl.create_default_context(cafile=told["ca"])
context.load_cert_chain(told["certificate"], told["key"])
for path in ("api/v1/services", "api/v1/secrets", "api/v1/pods"):
    try:
        print(urllib.request.urlopen(f"https://{told['host']}:{told['port']}/{path}", context=context).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""


@frozen(kw_only=True)
class Cluster:
    """``nodes``: names and addresses of the workers; the pods are on the first."""

    site: Site
    spec: Path
    cf: CloudFoundry
    nodes: tuple[tuple[str, str], ...]

    def expects(self, what: str, *backends: tuple[int, int, str]) -> float:
        """Wait for port, node port and address of all that Services have; when the router began to serve them."""
        wanted = {f"{port}={address}:{inner}" for port, inner, address in backends}
        return self.cf.await_backends(
            lambda found: {each for each in found if not each.startswith(f"{PORT}=")} == wanted, what
        )

    def on(self, addresses: list[str]) -> list[tuple[int, int, str]]:
        """What the Services have while these workers serve."""
        everywhere = [(port, inner, each) for port, inner in ((WEB, 30080), (ADMIN, 30081)) for each in addresses]
        return [*everywhere, (NEAR, 30082, self.nodes[0][1])]

    def fetch(self, url: str, *more: str) -> str:
        return self.site.run(self.site.command("curl", "--silent", "--fail", *more, url)).stdout.strip()


@pytest.fixture(scope="module")
def cluster(shared_site: Site) -> Iterator[Cluster]:
    """The cluster with two Services.  It goes before its Cloud Foundry does, also after a failure."""
    shape = (("etcd", 1), ("master", 1), ("worker", 2))
    with cloud_foundry(shared_site) as cf, nats(shared_site) as http:
        ingress = {"provider": "cfrouting", **cf.options, **http, "external_port": PORT}
        spec = shared_site.spec("served", shape=shape, ingress=ingress)
        try:
            shared_site.kubo(spec, "up")
            nodes = _nodes(shared_site, spec)
            manifest = shared_site.home / "shop.yaml"
            manifest.write_text(SHOP.format(node=nodes[0][0], web=WEB, admin=ADMIN, near=NEAR))
            shared_site.kubectl(spec, "apply", "-f", str(manifest))
            shared_site.kubectl(spec, "rollout", "status", "deployment/shop", "--timeout=60s")
            yield Cluster(site=shared_site, spec=spec, cf=cf, nodes=nodes)
        finally:
            if spec.exists():
                shared_site.kubo(spec, "delete", "--yes", check=False)
                spec.unlink()


def _nodes(site: Site, spec: Path) -> tuple[tuple[str, str], ...]:
    """In the order of the instances."""
    addresses = [each["address"] for each in site.status(spec)["instances"] if each["role"] == "worker"]
    items = json.loads(site.kubectl(spec, "get", "nodes", "-o", "json"))["items"]
    names = {each["status"]["addresses"][0]["address"]: each["metadata"]["name"] for each in items}
    return tuple((names[address], address) for address in addresses)


def test_each_port_of_a_service_has_a_route_to_the_workers_that_can_serve_it(cluster: Cluster) -> None:
    addresses = [address for _, address in cluster.nodes]
    cluster.expects("both workers, and for traffic that stays local the one with the pod", *cluster.on(addresses))
    assert cluster.fetch(f"http://{ADDRESS}:{WEB}/") == "open"
    assert cluster.fetch(f"http://{ADDRESS}:{ADMIN}/") == "sesame"
    assert cluster.fetch(f"http://{ADDRESS}:{NEAR}/") == "open"
    with http_router(cluster.site) as heard:
        backends = {f"{address}:30081" for address in addresses}
        wait_until(lambda: heard.backends(HOST) == backends or None, what="the HTTP routes", timeout=90)
    for backend in backends:
        assert cluster.fetch(f"http://{backend}/", "--header", f"Host: {HOST}") == "sesame"


def test_the_agent_may_read_services_and_neither_secrets_nor_pods(cluster: Cluster) -> None:
    done = cluster.site.kubo(cluster.spec, "exec", "master/0", "--", "/usr/bin/python3", "-c", FORBIDDEN)
    assert done.stdout.split() == ["200", "403", "403"]


def test_a_master_tells_who_leads_and_what_leads_where(cluster: Cluster) -> None:
    def on_master(*command: str) -> str:
        return cluster.site.kubo(cluster.spec, "exec", "master/0", "--", *command).stdout

    shown = on_master("systemctl", "show", "--property=StatusText", "kubo-cf-routes")
    assert shown.strip() == "StatusText=leading: 3 TCP ports, 1 host names"
    journal = on_master("journalctl", "--unit=kubo-cf-routes", "--output=cat", "--no-pager")
    assert "this master leads" in journal
    assert f"port {NEAR} leads to default/near at {cluster.nodes[0][1]}:30082" in journal.splitlines()


def test_a_cordoned_worker_leaves_the_routers_and_comes_back(cluster: Cluster) -> None:
    site, spec, ((_, first), (name, second)) = cluster.site, cluster.spec, cluster.nodes
    site.kubectl(spec, "cordon", name)
    cluster.expects("the worker that is not cordoned", *cluster.on([first]))
    site.kubectl(spec, "uncordon", name)
    cluster.expects("both workers again", *cluster.on([first, second]))


def test_a_worker_that_is_stopped_leaves_the_routers_first(cluster: Cluster) -> None:
    site, spec, first = cluster.site, cluster.spec, cluster.nodes[0][1]
    command = site.command("/usr/bin/python3", "-c", CLIENT, f"http://{ADDRESS}:{WEB}/")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        site.kubo(spec, "stop", "worker/1")
        stopped = time.time()
        gone = cluster.expects("the worker that is left", *cluster.on([first]))
        # Some requests more, which only that one can answer.
        for _ in range(20):
            cluster.fetch(f"http://{ADDRESS}:{WEB}/")
        output, _ = client.communicate()
    # Its Node would count as ready for 40 s more: that it is cordoned takes it out.
    assert gone < stopped + 20
    asked = [line.partition(" ")[::2] for line in output.splitlines()]
    later = [trouble for began, trouble in asked if float(began) > gone]
    assert later
    assert [trouble for trouble in later if trouble] == []


def test_no_route_is_left_after_delete(cluster: Cluster) -> None:
    with http_router(cluster.site) as heard:
        wait_until(lambda: heard.backends(HOST) or None, what="the HTTP routes", timeout=90)
        cluster.site.kubo(cluster.spec, "delete", "--yes")
        wait_until(lambda: not heard.backends(HOST) or None, what="their end", timeout=30)
    assert cluster.cf.tell("report")["routes"] == []
