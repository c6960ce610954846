"""examples/embedding runs as it is: a web service that plans, deploys and deletes clusters and streams their events."""

from __future__ import annotations

import importlib.util
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import field, frozen

from kubo_sdk import Plugins, hookimpl
from kubo_sdk.testing.fakes import FakeCloud
from kubo_sdk.testing.fakes.release import fake_release

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "embedding" / "service.py"


@frozen
class Client:
    """What a browser would do."""

    url: str
    server: Any = field(repr=False)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(f"{self.url}{path}", data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def events(self, name: str) -> Iterator[dict[str, Any]]:
        """Server-Sent Events as they come, until the server ends them."""
        with urllib.request.urlopen(f"{self.url}/clusters/{name}/events", timeout=30) as stream:
            assert stream.headers["Content-Type"] == "text/event-stream"
            fields: dict[str, str] = {}
            for line in stream:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                    continue
                event: dict[str, Any] = json.loads(fields["data"])
                assert event["event"] == fields["event"]
                yield event


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as cloud:
        yield cloud


class Gate:
    """An observer that holds every operation up while it is closed."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.opened.set()

    @hookimpl
    def kubo_on_event(self) -> None:
        self.reached.set()
        assert self.opened.wait(30)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def client(cloud: FakeCloud, gate: Gate, tmp_path: Path) -> Iterator[Client]:
    definition = importlib.util.spec_from_file_location("embedding_service", EXAMPLE)
    assert definition is not None
    assert definition.loader is not None
    example = importlib.util.module_from_spec(definition)
    definition.loader.exec_module(example)
    plugins = Plugins(cloud.plugin(), gate, load_installed=False)
    with example.Service(example.Clusters(tmp_path / "service", plugins=plugins, clock=cloud.clock)) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        try:
            yield Client(f"http://127.0.0.1:{service.server_port}", service)
        finally:
            service.shutdown()
            thread.join()


def spec(home: Path, name: str, **changes: Any) -> bytes:
    """A spec in YAML whose cluster the fakes can carry."""
    release = fake_release(home / "release")
    fakes = dict.fromkeys(("cpi", "credential_store", "dns", "overlay", "ingress", "cluster_dns"), "fake")
    kubernetes = {"version": "1.30.2", "source": {"provider": release.provider, **release.options}}
    return yaml.safe_dump({"name": name, "kubernetes": kubernetes, **fakes, **changes}).encode()


def last(events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    return list(events)[-1]


def test_a_cluster_is_deployed_looked_at_and_deleted_while_its_events_are_streamed(
    client: Client, cloud: FakeCloud, tmp_path: Path
) -> None:
    assert client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo"))[0] == 202
    told = list(client.events("demo"))
    assert told == list(client.events("demo"))
    assert (told[0]["event"], told[0]["cluster"]) == ("PlanMade", "kubo/demo")
    finished = {event["title"] for event in told if event["event"] == "StepFinished"}
    assert {"create vm worker/0", "await api"} <= finished
    assert (told[-1]["event"], told[-1]["error"]) == ("OperationFinished", "")
    assert len(cloud.machines) == 9
    assert client.ask("GET", "/clusters") == (200, ["demo"])
    assert client.ask("GET", "/clusters/demo/plan")[1]["steps"] == []
    assert client.ask("GET", "/clusters/demo/status")[1]["healthy"] is True
    assert client.ask("DELETE", "/clusters/demo")[0] == 202
    assert last(client.events("demo"))["error"] == ""
    assert client.ask("GET", "/clusters") == (200, [])
    assert not cloud.machines


def test_a_changed_spec_changes_the_cluster(client: Client, cloud: FakeCloud, tmp_path: Path) -> None:
    groups = [{"name": name, "role": name, "instances": 1} for name in ("etcd", "master", "worker", "proxy")]
    client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo", instance_groups=groups))
    assert last(client.events("demo"))["error"] == ""
    groups[2]["instances"] = 2
    client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo", instance_groups=groups))
    assert last(client.events("demo"))["error"] == ""
    assert sorted(cloud.machines) == ["etcd/0", "master/0", "proxy/0", "worker/0", "worker/1"]


def test_a_wrong_spec_comes_back_with_every_problem_and_changes_nothing(
    client: Client, cloud: FakeCloud, tmp_path: Path
) -> None:
    code, told = client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo", network={"pods": "x"}, colour="red"))
    assert (code, told["error"], len(told["messages"])) == (422, "ConfigError", 2)
    code, told = client.ask("PUT", "/clusters/demo", spec(tmp_path, "other"))
    assert (code, told["messages"]) == (422, ["the spec is that of 'other', not of 'demo'"])
    assert client.ask("GET", "/clusters") == (200, [])
    assert client.ask("GET", "/clusters/demo/plan")[0] == 404
    assert client.ask("GET", "/clusters/demo/events")[0] == 404
    assert client.ask("GET", "/elsewhere")[0] == 404
    assert not cloud.machines


def test_a_second_operation_is_refused_while_one_runs_and_a_listener_may_come_late(
    client: Client, gate: Gate, tmp_path: Path
) -> None:
    gate.opened.clear()
    client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo"))
    assert gate.reached.wait(30)
    try:
        code, told = client.ask("DELETE", "/clusters/demo")
        assert (code, told["error"]) == (409, "LeaseHeld")
        assert client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo", zone="else.where"))[0] == 409
    finally:
        gate.opened.set()
    assert last(client.events("demo"))["error"] == ""


def test_what_failed_is_told_at_the_end_of_the_stream(client: Client, cloud: FakeCloud, tmp_path: Path) -> None:
    cloud.quota = 3
    client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo"))
    assert "the quota of 3 machines is used up" in last(client.events("demo"))["error"]
    cloud.quota = None
    client.ask("PUT", "/clusters/demo", spec(tmp_path, "demo"))
    assert last(client.events("demo"))["error"] == ""
