"""Asks the API every 100 ms while a cluster is rotated: as its administrator, and as a pod with the pod's own files.

Run inside the site's namespace: ``asking.py SPEC STATE [MARK]``, where MARK is an argument only that pod's program has.
Until standard input ends; then prints JSON: by who asked, how often, and what was not answered.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubo_sdk import Cluster
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.model.secret import Secret
from kubo_sdk.observe import find_machines
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.steps.endpoints import API

PACE_SECONDS = 0.1
# Longer than a busy host takes to answer; whoever is away refuses at once.
PATIENCE_SECONDS = 10.0
MOUNTED = "root/var/run/secrets/kubernetes.io/serviceaccount"

Ask = Callable[[], int]


def program(mark: str) -> Path:
    """Where the files of the process lie that has *mark* among its arguments."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[:1] == [b"sleep"] and mark.encode() in arguments:
            return process / MOUNTED
    raise LookupError(f"no process sleeps {mark}")


def main(spec: Path, state: Path, mark: str = "") -> dict[str, Any]:
    cluster, mounted = Cluster.load(spec, state_dir=state), program(mark) if mark else Path()
    api = find_machines(cluster.spec, cluster.providers).endpoints[API]
    store, name = cluster.providers.credential_store, cluster.spec.id.credential("admin")

    def as_administrator(query: str = "limit=1") -> int:
        """With what the credential store holds now, as somebody does who fetches a kubeconfig after each stage."""
        admin = store.get(name).value
        assert isinstance(admin, Certificate)
        client = HttpsClient(
            [(api.host, api.port)],
            ca=admin.ca,
            certificate=admin.certificate,
            private_key=admin.private_key,
            timeout=PATIENCE_SECONDS,
        )
        path = f"/api/v1/namespaces/default/configmaps?{query}"
        return client.request("GET", path).check(f"get {path}").status

    def as_a_controller() -> int:
        """What an API server answers out of its own memory."""
        return as_administrator("resourceVersion=0")

    def as_pod() -> int:
        token = Secret((mounted / "token").read_text())
        client = HttpsClient([(api.host, api.port)], ca=(mounted / "ca.crt").read_text(), timeout=PATIENCE_SECONDS)
        return (
            client.request("GET", "/api", headers={"Authorization": f"Bearer {token.reveal()}"})
            .check("get /api")
            .status
        )

    asked = {"administrator": as_administrator, "cached": as_a_controller, **({"pod": as_pod} if mark else {})}
    told: dict[str, Any] = {who: {"asked": 0, "slowest_seconds": 0.0, "troubles": []} for who in asked}
    stop = threading.Event()
    threads = [threading.Thread(target=keep_asking, args=(ask, told[who], stop)) for who, ask in asked.items()]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    return told


def keep_asking(ask: Ask, told: dict[str, Any], stop: threading.Event) -> None:
    while not stop.is_set():
        began = time.monotonic()
        try:
            status, why = ask(), ""
        except Exception as error:
            status, why = 0, str(error)
        took = time.monotonic() - began
        told["asked"] += 1
        told["slowest_seconds"] = round(max(told["slowest_seconds"], took), 2)
        if status != 200:
            told["troubles"].append(f"{time.strftime('%H:%M:%S')}: {status} {why}")
        stop.wait(max(0.0, PACE_SECONDS - took))


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])))
