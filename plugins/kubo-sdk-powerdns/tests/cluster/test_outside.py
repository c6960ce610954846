"""Names outside the cluster: whom a worker asks, when that changes, and when there is nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .api import ApiServer
from .conftest import Pki
from .outside import Outside
from .worker import Answer, Worker, wait_for

FAILED = Answer(rcode="SERVFAIL", records=())


@pytest.fixture
def other(network: str) -> Iterator[Outside]:
    resolver = Outside(f"{network}.54", {"www.example.com": "198.51.100.80"})
    try:
        yield resolver
    finally:
        resolver.stop()


def test_a_worker_without_resolvers_refuses_names_outside_at_once(idle: Worker) -> None:
    idle.resolv_conf.write_text("search kubo.internal\n")
    idle.start()
    idle.wait_for_values("kubernetes.default.svc.cluster.local", "10.100.200.1")
    for _ in range(3):
        assert idle.ask("www.example.com", timeout=2) == FAILED


def test_a_worker_that_asks_itself_does_not_go_round_for_ever(idle: Worker) -> None:
    idle.resolv_conf.write_text(f"nameserver {idle.address}\n")
    idle.start()
    idle.wait_for_values("kubernetes.default.svc.cluster.local", "10.100.200.1")
    assert idle.ask("www.example.com", timeout=2) == FAILED


def test_other_resolvers_of_the_machine_are_asked_as_soon_as_it_has_them(
    worker: Worker, network: str, outside: Outside, other: Outside
) -> None:
    worker.wait_for_values("www.example.com", "192.0.2.80")
    fresh = worker.resolv_conf.with_name("fresh")
    fresh.write_text(f"nameserver {network}.54\n")
    fresh.replace(worker.resolv_conf)
    wait_for(lambda: worker.ask("nobody.example.com").rcode == "NXDOMAIN" and other.asked, "the other being asked")


def test_a_resolver_that_is_away_is_passed_over_for_the_next(
    worker: Worker, network: str, outside: Outside, other: Outside
) -> None:
    worker.resolv_conf.write_text(f"nameserver {network}.99\nnameserver {network}.54\n")
    worker.wait_for_values("www.example.com", "198.51.100.80")


def test_resolvers_of_the_spec_win_but_for_the_machines_own_names(
    home: Path, network: str, pki: Pki, api: ApiServer, outside: Outside, other: Outside
) -> None:
    worker = Worker(home, f"{network}.10", api.url, pki, forward=(f"{network}.54",))
    worker.resolv_conf.write_text(f"nameserver {network}.53\n")
    try:
        worker.start()
        worker.wait_for_values("www.example.com", "198.51.100.80")
        worker.wait_for_values("worker-0.contract.kubo.internal", "10.0.0.9")
    finally:
        worker.close()


def test_names_in_the_machines_hosts_file_are_answered_and_followed(idle: Worker) -> None:
    idle.resolv_conf.write_text("")
    idle.hosts.write_text("127.0.0.1 localhost\n10.0.0.7 worker-1.demo.kubo.internal worker-1\n")
    idle.start()
    idle.wait_for_values("worker-1.demo.kubo.internal", "10.0.0.7")
    idle.hosts.write_text("127.0.0.1 localhost\n10.0.0.8 worker-2.demo.kubo.internal worker-2\n")
    idle.wait_for_values("worker-2.demo.kubo.internal", "10.0.0.8")
