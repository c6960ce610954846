"""The Kubernetes DNS specification 1.1, asked through a real recursor and a real server."""

from __future__ import annotations

import pytest

from .api import SERVICES, SLICES, ApiServer
from .conftest import Shared
from .objects import endpoint, external, service, slice_of
from .outside import Outside
from .worker import Answer, Worker

ZONE = "svc.cluster.local"
NONE = Answer(rcode="NXDOMAIN", records=())
EMPTY = Answer(rcode="NOERROR", records=())


@pytest.fixture
def worker(shared: Shared) -> Worker:
    return shared.worker


@pytest.fixture
def api(shared: Shared) -> ApiServer:
    return shared.api


@pytest.fixture
def outside(shared: Shared) -> Outside:
    shared.outside.asked.clear()
    return shared.outside


def test_a_service_with_a_cluster_ip_has_an_address_its_ports_and_a_name_for_the_address(worker: Worker) -> None:
    name = f"kubernetes.default.{ZONE}"
    assert worker.ask(name).records == (("A", "10.100.200.1"),)
    assert worker.ask(f"_https._tcp.{name}", "SRV").records == (("SRV", f"0 100 443 {name}."),)
    assert worker.ask("1.200.100.10.in-addr.arpa", "PTR").records == (("PTR", f"{name}."),)
    assert worker.ask(name, tcp=True).records == (("A", "10.100.200.1"),)


def test_a_headless_service_has_the_addresses_of_its_pods_and_a_name_for_each(worker: Worker) -> None:
    name = f"db.default.{ZONE}"
    assert worker.ask(name).records == (("A", "10.200.1.5"), ("A", "10.200.2.6"))
    assert worker.ask(f"db-0.{name}").records == (("A", "10.200.1.5"),)
    assert worker.ask(f"10-200-2-6.{name}").records == (("A", "10.200.2.6"),)
    both = (("SRV", f"0 100 8080 10-200-2-6.{name}."), ("SRV", f"0 100 8080 db-0.{name}."))
    assert worker.ask(f"_http._tcp.{name}", "SRV").records == both
    assert worker.ask(name, "SRV").records == both
    assert worker.ask("5.1.200.10.in-addr.arpa", "PTR").records == (("PTR", f"db-0.{name}."),)
    assert worker.ask("6.2.200.10.in-addr.arpa", "PTR").records == (("PTR", f"10-200-2-6.{name}."),)


def test_what_is_not_ready_has_no_name_and_a_headless_service_with_nothing_ready_neither(
    worker: Worker, api: ApiServer
) -> None:
    name = f"queue.default.{ZONE}"
    ready, not_ready = endpoint("10.200.1.15", "queue-0"), endpoint("10.200.2.16", ready=False)
    api.put(SERVICES, service("queue"))
    api.put(SLICES, slice_of("queue", ready, not_ready, endpoint("10.200.3.17", ready=None)))
    worker.wait_for_values(name, "10.200.1.15", "10.200.3.17")
    assert worker.ask(f"10-200-2-16.{name}") == NONE
    assert worker.ask("16.2.200.10.in-addr.arpa", "PTR") == NONE
    api.put(SLICES, slice_of("queue", endpoint("10.200.1.15", "queue-0", ready=False)))
    worker.wait_for_values(name)
    assert worker.ask(name) == NONE


def test_an_external_name_leads_outside(worker: Worker, api: ApiServer, outside: Outside) -> None:
    api.put(SERVICES, external("shop", "www.example.com"))
    worker.wait_for_values(f"shop.default.{ZONE}", "192.0.2.80", "www.example.com.")
    found = worker.ask(f"shop.default.{ZONE}")
    assert found.records == (("A", "192.0.2.80"), ("CNAME", "www.example.com."))


def test_an_external_name_may_be_a_service(worker: Worker, api: ApiServer) -> None:
    api.put(SERVICES, external("alias", f"kubernetes.default.{ZONE}"))
    worker.wait_for_values(f"alias.default.{ZONE}", "10.100.200.1", f"kubernetes.default.{ZONE}.")


def test_both_families_of_addresses_are_answered(worker: Worker, api: ApiServer) -> None:
    api.put(SERVICES, service("both", "10.100.200.44", clusterIPs=["10.100.200.44", "fd00::44"]))
    worker.wait_for_values(f"both.default.{ZONE}", "fd00::44", kind="AAAA")
    assert worker.ask(f"both.default.{ZONE}").records == (("A", "10.100.200.44"),)
    api.put(SERVICES, service("pair"))
    api.put(SLICES, slice_of("pair", endpoint("10.200.1.25", "pair-0")))
    api.put(SLICES, slice_of("pair", endpoint("fd00::5", "pair-0"), name="pair-six", addressType="IPv6"))
    worker.wait_for_values(f"pair-0.pair.default.{ZONE}", "fd00::5", kind="AAAA")
    assert worker.ask(f"pair.default.{ZONE}", "AAAA").records == (("AAAA", "fd00::5"),)
    assert worker.ask(f"pair.default.{ZONE}").records == (("A", "10.200.1.25"),)


def test_ports_without_a_name_are_listed_with_the_service_alone(worker: Worker, api: ApiServer) -> None:
    ports = [{"port": 53, "protocol": "UDP"}, {"name": "Metrics", "port": 9153}]
    api.put(SERVICES, service("resolver", "10.100.200.45", ports=ports))
    name = f"resolver.default.{ZONE}"
    worker.wait_for_values(name, "10.100.200.45")
    assert worker.ask(f"_metrics._tcp.{name}", "SRV").records == (("SRV", f"0 100 9153 {name}."),)
    assert worker.ask(name, "SRV").records == (("SRV", f"0 100 53 {name}."), ("SRV", f"0 100 9153 {name}."))
    assert worker.ask(f"_udp.{name}", "SRV") == NONE


def test_a_pods_address_has_a_name_in_every_namespace(worker: Worker) -> None:
    assert worker.ask("10-200-1-7.default.pod.cluster.local").records == (("A", "10.200.1.7"),)
    assert worker.ask("10-200-1-700.default.pod.cluster.local") == NONE
    assert worker.ask("web.default.pod.cluster.local") == NONE


def test_the_version_of_the_specification_is_told(worker: Worker) -> None:
    assert worker.ask("dns-version.cluster.local", "TXT").records == (("TXT", '"1.1.0"'),)


def test_names_are_the_same_in_capitals(worker: Worker) -> None:
    assert worker.ask(f"KUBERNETES.Default.{ZONE.upper()}").records == (("A", "10.100.200.1"),)


@pytest.mark.parametrize("name", [f"nobody.default.{ZONE}", f"kubernetes.nowhere.{ZONE}", "nobody.cluster.local"])
def test_a_name_that_does_not_exist_is_an_answer(worker: Worker, name: str) -> None:
    assert worker.ask(name) == NONE


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f"kubernetes.default.{ZONE}", "AAAA"),
        (f"default.{ZONE}", "A"),
        (ZONE, "A"),
        (f"_tcp.kubernetes.default.{ZONE}", "SRV"),
        ("default.pod.cluster.local", "A"),
        ("1.200.100.10.in-addr.arpa", "A"),
    ],
)
def test_a_name_that_exists_without_such_a_record_is_an_empty_answer(worker: Worker, name: str, kind: str) -> None:
    assert worker.ask(name, kind) == EMPTY


def test_names_outside_come_from_whom_the_machine_asks(worker: Worker, outside: Outside) -> None:
    assert worker.ask("www.example.com").records == (("A", "192.0.2.80"),)
    assert worker.ask("worker-0.contract.kubo.internal").records == (("A", "10.0.0.9"),)
    assert worker.ask("nobody.example.com") == NONE
    assert not [name for name in outside.asked if name.endswith(("cluster.local", "100.10.in-addr.arpa"))]


def test_what_a_search_path_makes_of_a_name_outside_is_answered_here(worker: Worker, outside: Outside) -> None:
    for search in (f"default.{ZONE}", ZONE, "cluster.local"):
        assert worker.ask(f"www.example.com.{search}") == NONE
    assert worker.ask("www.example.com").records == (("A", "192.0.2.80"),)
    assert set(outside.asked) <= {"www.example.com"}
