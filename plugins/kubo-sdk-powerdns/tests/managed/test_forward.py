"""Names outside the cluster, where the spec names resolvers: through a real recursor."""

from __future__ import annotations

import signal
from ipaddress import IPv4Address

import pytest

from kubo_sdk_powerdns.managed import paths
from kubo_sdk_powerdns.managed.agent.database import choose
from kubo_sdk_powerdns.managed.agent.settings import RRset, Zone

from .conftest import Names
from .machine import NamesMachine

OUTSIDE = "127.99.0.1"


@pytest.fixture
def forward() -> tuple[IPv4Address, ...]:
    return (IPv4Address(OUTSIDE),)


@pytest.fixture
def resolving(still: Names) -> Names:
    """With an outside server that knows www.example.com."""
    machine = still.machine
    start_outside(machine)
    machine.start_server()
    machine.start(
        "recursor",
        "sh",
        "-c",
        'while :; do "$@"; sleep 0.2; done',
        "sh",
        "pdns_recursor",
        f"--config-dir={machine.config}",
    )
    machine.start_agent()
    machine.eventually(lambda: machine.ask(f"worker-0.{still.domain}"), [still.address("worker/0")])
    return still


def start_outside(machine: NamesMachine) -> None:
    home = machine.home / "outside"
    home.mkdir()
    www = RRset("www.example.com.", "A", 60, frozenset({"192.0.2.80"}))
    choose(home / "database", home / "unused", (Zone("example.com.", ("ns.example.com.",), (www,)),))
    settings = {
        "launch": "gsqlite3",
        "gsqlite3-database": f"{home}/database",
        "local-address": OUTSIDE,
        "socket-dir": str(home),
        "security-poll-suffix": "",
    }
    (home / "pdns.conf").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    machine.start("outside", "pdns_server", f"--config-dir={home}")


def test_names_outside_the_cluster_are_resolved_beside_those_inside(resolving: Names) -> None:
    machine = resolving.machine
    machine.eventually(lambda: machine.ask("www.example.com"), ["192.0.2.80"])
    assert machine.ask("nobody.example.com") == ["NXDOMAIN"]
    assert machine.ask(f"nobody.{resolving.domain}") == ["NXDOMAIN"]
    address = IPv4Address(resolving.address("worker/0"))
    assert machine.ask(address.reverse_pointer, "PTR") == [f"worker-0.{resolving.domain}."]


def test_a_recursor_that_hangs_is_ended_and_resolves_again(resolving: Names) -> None:
    machine = resolving.machine
    (before,) = machine.pids("pdns_recursor")
    machine.kill("pdns_recursor", signal.SIGSTOP)
    machine.eventually(lambda: machine.pids("pdns_recursor") not in ([], [before]), True)
    machine.eventually(lambda: machine.ask(f"worker-0.{resolving.domain}"), [resolving.address("worker/0")])


def test_without_the_outside_names_of_the_cluster_are_served_all_the_same(resolving: Names) -> None:
    machine = resolving.machine
    machine.stop("outside")
    assert machine.ask(f"master-0.{resolving.domain}") == [resolving.address("master/0")]
    machine.eventually(lambda: machine.ask("other.example.com"), ["SERVFAIL"])


def test_the_server_stands_behind_the_recursor(resolving: Names) -> None:
    name = f"worker-0.{resolving.domain}"
    assert resolving.machine.ask(name, port=paths.BEHIND_PORT) == resolving.machine.ask(name)
