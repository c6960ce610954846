"""What goes wrong in and beside a worker's cluster DNS: what was known is answered, and nobody has to step in."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from kubo_sdk_powerdns.cluster import paths
from kubo_sdk_powerdns.cluster.units import AGENT_UNIT, RECURSOR_UNIT, SERVER_UNIT

from .api import SERVICES, SLICES, ApiServer
from .objects import endpoint, service, slice_of
from .worker import Worker, wait_for

NAME = "kubernetes.default.svc.cluster.local"
DB = "db.default.svc.cluster.local"


def new_name(worker: Worker, api: ApiServer, name: str) -> None:
    """A Service that was never asked for, so that no cache can know it, is answered."""
    api.put(SERVICES, service(name, "10.100.200.77"))
    worker.wait_for_values(f"{name}.default.svc.cluster.local", "10.100.200.77")


def test_while_the_api_is_away_everything_is_answered_as_it_was(worker: Worker, api: ApiServer) -> None:
    worker.wait_for_values(DB, "10.200.1.5", "10.200.2.6")
    api.stop()
    wait_for(lambda: "cannot follow Services: the API" in worker.log(), "the agent saying that the API is away")
    assert worker.values(NAME) == ["10.100.200.1"]
    assert worker.values(f"10-200-2-6.{DB}") == ["10.200.2.6"]
    assert worker.ask("nobody.default.svc.cluster.local").rcode == "NXDOMAIN"
    api.start()
    wait_for(lambda: "can follow Services again" in worker.log(), "the agent saying that it is back")
    new_name(worker, api, "later")


def test_an_agent_that_starts_without_the_api_answers_what_was_known(worker: Worker, api: ApiServer) -> None:
    worker.wait_for_values(DB, "10.200.1.5", "10.200.2.6")
    wait_for(worker.snapshot.exists, "the snapshot")
    api.stop()
    for unit in (RECURSOR_UNIT, SERVER_UNIT):
        worker.stop(unit)
    worker.restart(AGENT_UNIT)
    worker.start(SERVER_UNIT, RECURSOR_UNIT)
    worker.wait_for_values(NAME, "10.100.200.1")
    worker.wait_for_values(DB, "10.200.1.5", "10.200.2.6")


def test_what_is_not_known_yet_fails_instead_of_not_existing(idle: Worker, api: ApiServer) -> None:
    """A client that hears "no such name" believes it; one that hears of a failure asks again."""
    api.refuse(403)
    idle.start()
    wait_for(lambda: idle.rcode(NAME) == "SERVFAIL", "the failure")
    assert "answers 403" in idle.log()
    api.refuse(0)
    idle.wait_for_values(NAME, "10.100.200.1")


def test_a_snapshot_that_is_none_is_as_good_as_no_snapshot(idle: Worker) -> None:
    idle.snapshot.write_text('{"format": 1, "services": [["half')
    idle.start()
    idle.wait_for_values(NAME, "10.100.200.1")


@pytest.mark.parametrize("unit", [AGENT_UNIT, SERVER_UNIT, RECURSOR_UNIT])
def test_any_of_the_programs_may_be_killed_and_names_new_and_old_are_answered_again(
    worker: Worker, api: ApiServer, unit: str
) -> None:
    worker.restart(unit, signal.SIGKILL)
    worker.wait_for_values(NAME, "10.100.200.1")
    worker.wait_for_values(DB, "10.200.1.5", "10.200.2.6")
    new_name(worker, api, "later")


def test_a_name_that_failed_while_the_agent_was_away_does_not_go_on_failing(worker: Worker, api: ApiServer) -> None:
    worker.stop(AGENT_UNIT, signal.SIGKILL)
    for _ in range(5):
        assert worker.ask(f"db-0.{DB}").rcode == "SERVFAIL"
    worker.start(AGENT_UNIT)
    worker.wait_for_values(f"db-0.{DB}", "10.200.1.5", timeout=10)


def test_a_watch_that_breaks_is_taken_up_where_it_was(worker: Worker, api: ApiServer) -> None:
    api.cut_watches()
    new_name(worker, api, "first")
    api.bookmark()
    api.cut_watches()
    new_name(worker, api, "second")
    assert not [path for path in api.requests[2:] if "watch" not in path]


def test_when_the_history_is_gone_everything_is_listed_anew(worker: Worker, api: ApiServer) -> None:
    worker.wait_for_values(f"db-0.{DB}", "10.200.1.5")
    api.put(SERVICES, service("gone", "10.100.200.50"))
    worker.wait_for_values("gone.default.svc.cluster.local", "10.100.200.50")
    api.put(SERVICES, *(service(f"many-{number}", "10.100.200.60") for number in range(600)))
    api.lose(SERVICES, "default/gone")
    api.lose(SLICES, "default/db-abcde")
    api.forget_history()
    api.cut_watches()
    worker.wait_for_values("gone.default.svc.cluster.local")
    worker.wait_for_values(f"db-0.{DB}")
    assert worker.ask("gone.default.svc.cluster.local").rcode == "NXDOMAIN"
    worker.wait_for_values("many-599.default.svc.cluster.local", "10.100.200.60")
    assert any("continue=500" in path for path in api.requests), "the list did not come in pages"


def test_an_object_that_makes_no_sense_costs_no_other_its_name(worker: Worker, api: ApiServer) -> None:
    strange = slice_of("db", endpoint("10.200.9.9", "db-9"), name="strange")
    strange["endpoints"] = [{"addresses": 7}]
    api.put(SLICES, strange)
    new_name(worker, api, "later")
    assert "an EndpointSlice is left out" in worker.log()


def test_a_disk_that_takes_no_more_costs_no_answer(worker: Worker, api: ApiServer) -> None:
    wait_for(worker.snapshot.exists, "the snapshot")
    shutil.rmtree(worker.snapshot.parent)
    worker.snapshot.parent.write_text("")
    new_name(worker, api, "later")
    wait_for(lambda: "cannot write down" in worker.log(), "the agent saying so")
    worker.snapshot.parent.unlink()
    worker.snapshot.parent.mkdir()
    wait_for(worker.snapshot.exists, "another snapshot")
    assert "can write down what is known again" in worker.log()


def test_slices_of_kubernetes_1_20_are_followed(idle: Worker, api: ApiServer) -> None:
    api.paths = {path.replace("/v1/endpoint", "/v1beta1/endpoint"): kind for path, kind in api.paths.items()}
    idle.start()
    idle.wait_for_values(DB, "10.200.1.5", "10.200.2.6")
    api.put(SLICES, slice_of("db", endpoint("10.200.1.6", "db-0")))
    idle.wait_for_values(DB, "10.200.1.6")


def test_nobody_without_the_authority_of_the_cluster_is_believed(idle: Worker, tmp_path: Path) -> None:
    """The certificate file itself is no authority."""
    settings = Path(idle.place(paths.SETTINGS))
    settings.write_text(settings.read_text().replace(str(tmp_path / "ca.pem"), str(tmp_path / "leaf.pem")))
    idle.start()
    wait_for(lambda: "certificate verify failed" in idle.log(), "the agent saying so")
    wait_for(lambda: idle.rcode(NAME) == "SERVFAIL", "the failure")
