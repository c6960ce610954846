"""A small web service that plans, deploys and deletes clusters and streams what happens: service.py DIRECTORY [PORT].

See README.md.  It knows nothing of HTTP frameworks: the class `Clusters` would do the same inside any of them.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubo_sdk import CancelToken, Cluster, ConfigError, Event, KuboError, Plugins
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import LeaseHeld, NotFound
from kubo_sdk.events import OperationFinished


class Feed:
    """The events of one operation, for any number of listeners, whenever they come."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.is_over = False
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event.to_dict())
            self._changed.notify_all()

    def close(self, error: str) -> None:
        """After the last event.  An operation that was refused before it began has told none."""
        with self._changed:
            if not self.events or self.events[-1]["event"] != OperationFinished.__name__:
                self.events.append({"event": "OperationRefused", "error": error})
            self.is_over = True
            self._changed.notify_all()

    def follow(self) -> Iterator[dict[str, Any]]:
        """Every event from the first one on; ends after the last."""
        told = 0
        while True:
            with self._changed:
                while len(self.events) == told and not self.is_over:
                    self._changed.wait()
                news = self.events[told:]
            if not news:
                return
            yield from news
            told += len(news)


class Clusters:
    """The clusters of one platform.  Each is a spec file below *directory*; what runs is in memory only.

    *plugins* and *clock* are the embedding platform's own; two `Clusters` with different plugins share nothing.
    """

    def __init__(self, directory: Path, *, plugins: Plugins | None = None, clock: Clock | None = None) -> None:
        self._specs = directory / "specs"
        self._specs.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._plugins = plugins or Plugins()
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, tuple[threading.Thread, CancelToken]] = {}
        self._feeds: dict[str, Feed] = {}

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._specs.glob("*.yml"))

    def open(self, name: str, feed: Feed | None = None, cancel: CancelToken | None = None) -> Cluster:
        path = self._specs / f"{name}.yml"
        if not path.exists():
            raise NotFound(f"there is no cluster {name!r}; PUT its spec first")
        return Cluster.load(
            path,
            plugins=self._plugins,
            state_dir=self._directory / "state",
            cache_dir=self._directory / "cache",
            observers=[feed] if feed else [],
            cancel=cancel,
            clock=self._clock,
        )

    def start(self, name: str, act: Callable[[Cluster], None], spec: bytes | None = None) -> None:
        """Run ``act(cluster)`` in a thread of its own, with a new *spec* if there is one.

        LeaseHeld while another operation runs on that cluster.
        """
        with self._lock:
            if name in self._running:
                raise LeaseHeld(f"cluster {name!r} is being worked on; wait until that has ended")
            if spec is not None:
                self._keep(name, spec)
            feed, cancel = Feed(), CancelToken()
            cluster = self.open(name, feed, cancel)
            # Not a daemon, whatever thread asks for it: an operation is waited for.
            thread = threading.Thread(target=self._run, args=(name, cluster, feed, act), daemon=False)
            self._feeds[name] = feed
            self._running[name] = (thread, cancel)
            thread.start()

    def _keep(self, name: str, spec: bytes) -> None:
        """Keep the spec, unless it is wrong or has another name."""
        trial = self._specs / "trial"
        trial.write_bytes(spec)
        found = Cluster.load(trial, plugins=self._plugins).spec.name
        if found != name:
            raise ConfigError([f"the spec is that of {found!r}, not of {name!r}"])
        trial.rename(self._specs / f"{name}.yml")

    def _run(self, name: str, cluster: Cluster, feed: Feed, act: Callable[[Cluster], None]) -> None:
        error = "it broke"
        try:
            act(cluster)
        except KuboError as trouble:
            error = str(trouble)
        finally:
            with self._lock:
                self._running.pop(name)
            feed.close(error)

    def feed(self, name: str) -> Feed:
        found = self._feeds.get(name)
        if found is None:
            raise NotFound(f"nothing was done to cluster {name!r} since this service started")
        return found

    def forget(self, cluster: Cluster) -> None:
        """Delete the cluster, then its spec."""
        cluster.delete()
        (self._specs / f"{cluster.spec.name}.yml").unlink(missing_ok=True)

    def close(self) -> None:
        """Stop what runs between two steps, and wait for it.  It goes on with the next deploy."""
        with self._lock:
            running = list(self._running.values())
        for thread, cancel in running:
            cancel.cancel("the service stops")
            thread.join()


STATUS = {ConfigError: 422, NotFound: 404, LeaseHeld: 409}


class Handler(BaseHTTPRequestHandler):
    """``/clusters`` and ``/clusters/NAME[/plan|/status|/events]``."""

    server: Service

    def do_GET(self) -> None:
        self._serve({"": self._list, "plan": self._plan, "status": self._status, "events": self._events})

    def do_PUT(self) -> None:
        self._serve({"": self._deploy})

    def do_DELETE(self) -> None:
        self._serve({"": self._delete})

    def _serve(self, actions: dict[str, Callable[[str], None]]) -> None:
        top, name, action, *more = [*self.path.strip("/").split("/"), "", ""][:4]
        try:
            if top != "clusters" or action not in actions or any(more) or not (name or action == ""):
                raise NotFound(f"there is no {self.command} {self.path}")
            actions[action](name)
        except KuboError as error:
            code = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
            messages = list(error.problems) if isinstance(error, ConfigError) else [str(error)]
            self._answer(code, {"error": type(error).__name__, "messages": messages})

    def _list(self, _name: str) -> None:
        self._answer(200, self.server.clusters.names())

    def _plan(self, name: str) -> None:
        self._answer(200, self.server.clusters.open(name).plan().to_dict())

    def _status(self, name: str) -> None:
        self._answer(200, self.server.clusters.open(name).status().to_dict())

    def _deploy(self, name: str) -> None:
        spec = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.clusters.start(name, Cluster.deploy, spec)
        self._answer(202, {"events": f"/clusters/{name}/events"})

    def _delete(self, name: str) -> None:
        self.server.clusters.start(name, self.server.clusters.forget)
        self._answer(202, {"events": f"/clusters/{name}/events"})

    def _events(self, name: str) -> None:
        """Server-Sent Events, from the first of the operation; the connection ends with it."""
        feed = self.server.clusters.feed(name)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        for number, event in enumerate(feed.follow()):
            self.wfile.write(f"id: {number}\nevent: {event['event']}\ndata: {json.dumps(event)}\n\n".encode())

    def _answer(self, code: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """What is worth telling is an event."""


class Service(ThreadingHTTPServer):
    """The HTTP side.  Loopback only: it asks nobody for a password."""

    daemon_threads = True

    def __init__(self, clusters: Clusters, port: int = 0) -> None:
        self.clusters = clusters
        super().__init__(("127.0.0.1", port), Handler)

    def server_close(self) -> None:
        super().server_close()
        self.clusters.close()


if __name__ == "__main__":
    with Service(Clusters(Path(sys.argv[1])), int((*sys.argv, "8100")[2])) as service:
        print(f"http://127.0.0.1:{service.server_port}/clusters")
        service.serve_forever()
