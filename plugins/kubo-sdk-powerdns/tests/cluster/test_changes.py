"""Changes: what was answered a moment ago is not answered any more, however often it was asked for."""

from __future__ import annotations

from .api import SERVICES, SLICES, ApiServer
from .objects import endpoint, external, service, slice_of
from .worker import Worker

ZONE = "default.svc.cluster.local"


def test_a_pod_that_moved_is_found_at_its_new_address(worker: Worker, api: ApiServer) -> None:
    worker.wait_for_values(f"db-0.db.{ZONE}", "10.200.1.5")
    api.put(SLICES, slice_of("db", endpoint("10.200.7.7", "db-0")))
    worker.wait_for_values(f"db-0.db.{ZONE}", "10.200.7.7")
    worker.wait_for_values(f"db.{ZONE}", "10.200.7.7")
    worker.wait_for_values("7.7.200.10.in-addr.arpa", f"db-0.db.{ZONE}.", kind="PTR")
    worker.wait_for_values("5.1.200.10.in-addr.arpa", kind="PTR")
    worker.wait_for_values(f"10-200-2-6.db.{ZONE}")


def test_a_service_may_become_another_kind_of_service(worker: Worker, api: ApiServer) -> None:
    name = f"thing.{ZONE}"
    api.put(SERVICES, service("thing", "10.100.200.30"))
    worker.wait_for_values(name, "10.100.200.30")
    api.delete(SERVICES, "default/thing")
    worker.wait_for_values(name)
    api.put(SERVICES, service("thing"))
    api.put(SLICES, slice_of("thing", endpoint("10.200.1.9")))
    worker.wait_for_values(name, "10.200.1.9")
    api.put(SERVICES, external("thing", f"kubernetes.{ZONE}"))
    worker.wait_for_values(name, "10.100.200.1", f"kubernetes.{ZONE}.")
    worker.wait_for_values(f"10-200-1-9.{name}")


def test_slices_may_come_before_their_service_and_go_to_another(worker: Worker, api: ApiServer) -> None:
    api.put(SLICES, slice_of("early", endpoint("10.200.1.9"), name="first"))
    api.put(SERVICES, service("early"), service("late"))
    worker.wait_for_values(f"early.{ZONE}", "10.200.1.9")
    api.put(SLICES, slice_of("late", endpoint("10.200.1.9"), name="first"))
    worker.wait_for_values(f"late.{ZONE}", "10.200.1.9")
    worker.wait_for_values(f"early.{ZONE}")
    api.delete(SLICES, "default/first")
    worker.wait_for_values(f"late.{ZONE}")


def test_an_address_with_two_names_keeps_the_one_that_is_left(worker: Worker, api: ApiServer) -> None:
    api.put(SERVICES, service("other"))
    api.put(SLICES, slice_of("other", endpoint("10.200.1.5", "also")))
    both = (f"also.other.{ZONE}.", f"db-0.db.{ZONE}.")
    worker.wait_for_values("5.1.200.10.in-addr.arpa", *both, kind="PTR")
    api.delete(SERVICES, "default/db")
    worker.wait_for_values("5.1.200.10.in-addr.arpa", f"also.other.{ZONE}.", kind="PTR")


def test_ten_thousand_services_are_answered_and_each_may_change(idle: Worker, api: ApiServer) -> None:
    """Also over a list that is read anew, where they come in pages."""
    count = 10_000
    names = [f"many-{number}" for number in range(count)]
    api.put(SERVICES, *(service(name, namespace="crowd") for name in names))
    api.put(SLICES, *(_slice(name, number) for number, name in enumerate(names)))
    idle.start()
    last = f"many-{count - 1}.crowd.svc.cluster.local"
    idle.wait_for_values(last, _address(count - 1), timeout=60)
    moved = slice_of(names[-1], endpoint("10.200.255.254"), namespace="crowd")
    api.put(SLICES, moved)
    idle.wait_for_values(last, "10.200.255.254")
    api.lose(SERVICES, "crowd/many-1")
    api.forget_history()
    api.cut_watches()
    idle.wait_for_values("many-1.crowd.svc.cluster.local", timeout=60)
    idle.wait_for_values("many-2.crowd.svc.cluster.local", _address(2))


def _address(number: int) -> str:
    return f"10.200.{number >> 8}.{number & 255}"


def _slice(name: str, number: int) -> dict[str, object]:
    return slice_of(name, endpoint(_address(number)), namespace="crowd")
