"""A Cloud Foundry inside a test's namespace, and what its routers and their clients see."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from attrs import field, frozen

from .site import Site

STANDIN = Path(__file__).parents[2] / "plugins" / "kubo-sdk-cfrouting" / "tests"
CLIENT = Path(__file__).with_name("router_client.py")
LISTENER = Path(__file__).with_name("nats_listener.py")
# Outside of the machines' network, as the routers of a Cloud Foundry are.
ADDRESS = "10.96.250.1"
PORT = 1030
NATS_PORT = 4222
NATS_USER, NATS_PASSWORD = "nats", "password-of-the-test"
APP_DOMAIN = "apps.test"
PATIENCE_SECONDS = 90.0


@frozen(kw_only=True)
class Asked:
    """Every request: when it began, how long it took, what went wrong."""

    requests: list[tuple[float, float, str]] = field(factory=list)

    def failed(self, since: float = 0.0) -> list[tuple[float, float, str]]:
        """Those that began after *since* and failed."""
        return [each for each in self.requests if each[0] > since and each[2]]


@frozen(kw_only=True)
class CloudFoundry:
    """The stand-in's process.  ``options``: what a spec says of it."""

    site: Site
    process: subprocess.Popen[str]
    options: dict[str, Any]

    def tell(self, command: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def backends(self) -> set[str]:
        """Where the router sends whom it serves now."""
        return set(self.tell("report")["applied"][-1][1])

    def await_backends(self, good: Callable[[set[str]], bool], what: str, *, since: float | None = None) -> float:
        """Wait until the router serves what is *good*, or has served it at any moment *since* then.

        Returns when that began, as time of day.
        """
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            applied = self.tell("report")["applied"]
            for at, backends in applied[-1:] if since is None else applied:
                if good(set(backends)) and at >= (since or 0):
                    return float(at)
            time.sleep(0.1)
        raise AssertionError(f"not within {PATIENCE_SECONDS:g} s: {what}; the router serves {self.backends()}")


@contextmanager
def cloud_foundry(site: Site) -> Iterator[CloudFoundry]:
    """UAA, routing API and TCP router at an address that machines of the site reach."""
    directory = site.home / "cf"
    directory.mkdir()
    subprocess.run(site.command("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"), check=True)
    command = site.command(sys.executable, "-m", "standin", str(directory), ADDRESS)
    with subprocess.Popen(command, cwd=STANDIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield CloudFoundry(site=site, process=process, options=json.loads(process.stdout.readline()))
        finally:
            assert process.stdin is not None
            process.stdin.close()


@contextmanager
def nats(site: Site) -> Iterator[dict[str, Any]]:
    """A real nats-server, where routers of HTTP hear of routes; yields what a spec says of it."""
    secret, config = site.home / "nats-password", site.home / "nats.conf"
    secret.write_text(NATS_PASSWORD)
    login = f'authorization {{ user: "{NATS_USER}", password: "{NATS_PASSWORD}" }}'
    config.write_text(f"listen: {ADDRESS}:{NATS_PORT}\n{login}\n")
    with subprocess.Popen(site.command("nats-server", "--config", str(config)), stderr=subprocess.DEVNULL) as process:
        try:
            login_options = {"user": NATS_USER, "password": {"file": str(secret)}}
            yield {"app_domain": APP_DOMAIN, "nats": {"servers": [ADDRESS], "plain": True, **login_options}}
        finally:
            process.kill()


@frozen(kw_only=True)
class Heard:
    """What was said to the routers of HTTP, in order: subject and message."""

    said: list[tuple[str, dict[str, Any]]] = field(factory=list)

    def backends(self, host: str) -> set[str]:
        """Where a router would send requests for *host* now."""
        found: set[str] = set()
        for subject, message in list(self.said):
            if host in message["uris"]:
                backend = f"{message['host']}:{message['port']}"
                found = found | {backend} if subject == "router.register" else found - {backend}
        return found


@contextmanager
def http_router(site: Site) -> Iterator[Heard]:
    """Hears what an HTTP router hears, while the block runs."""
    heard = Heard()
    command = site.command(sys.executable, str(LISTENER), ADDRESS, str(NATS_PORT), NATS_USER, NATS_PASSWORD)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout

        def listen() -> None:
            for line in lines:
                heard.said.append(tuple(json.loads(line)))

        listening = threading.Thread(target=listen)
        listening.start()
        try:
            yield heard
        finally:
            process.kill()
            listening.join()


@contextmanager
def clients(site: Site, spec: Path) -> Iterator[Asked]:
    """Have the API asked through the router while the block runs; what came of it is there after it."""
    kubeconfig = yaml.safe_load(site.kubo(spec, "kubeconfig").stdout)
    cluster = kubeconfig["clusters"][0]["cluster"]
    ca = site.home / "router-client-ca.crt"
    ca.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    asked = Asked()
    command = site.command(sys.executable, str(CLIENT), cluster["server"], str(ca))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield asked
    finally:
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        asked.requests.extend(tuple(json.loads(line)) for line in output.splitlines())
