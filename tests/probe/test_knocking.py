"""Who answers whom: the Perl program against real sockets, what its words mean, and whom a machine is to reach."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.nodes.knocking import DOORS, KNOCK
from kubo_sdk.nodes.probe_script import Knock, UnitState, VitalSigns, parse_vital_signs
from kubo_sdk.planning.health import Source, Verdict
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.probe.doors import doors_for
from kubo_sdk.probe.judge import SETTLING_SECONDS, network_fact, units_fact

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86400.0
SPEC = ClusterSpec(name="c", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
KUBELET = UnitState(name="kubelet.service", active="active", sub="running", type="simple", age=DAY)
WELL = VitalSigns(uptime=DAY, booted=True, configured=True, units=(KUBELET,))
API = Endpoint(name="api", host="10.0.0.9", port=8443)


def knock(*doors: str, own: dict[str, str] | None = None) -> list[str]:
    """What the program prints when the units' doors are those of *own*."""
    program = KNOCK
    for unit, where in (own or {}).items():
        program = program.replace(f'"{DOORS[unit]}"', f'"{where}"')
    done = subprocess.run(["perl", "-e", program, "2", *doors], capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """It takes connections, as the kernel does for a program that stands still."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def address(listening: socket.socket) -> str:
    host, port = listening.getsockname()
    return f"{host}:{port}"


def test_a_door_that_opens_is_reached_and_a_closed_one_refuses(listener: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        closed = address(other)
    assert knock(f"endpoint={address(listener)}", f"peer={closed}") == [
        f"knock endpoint {address(listener)} reached",
        f"knock peer {closed} refused",
    ]


def test_a_daemon_that_stands_still_takes_the_connection_and_is_silent(listener: socket.socket) -> None:
    where = address(listener)
    assert knock("kubelet.service", own={"kubelet.service": where}) == [f"knock kubelet.service {where} silent"]


@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
def test_whoever_says_anything_answers(listener: socket.socket, status: str) -> None:
    heard = []

    def serve() -> None:
        with listener.accept()[0] as connection:
            heard.append(connection.recv(100))
            connection.sendall(f"HTTP/1.0 {status}\r\n\r\n".encode())

    server = Thread(target=serve)
    server.start()
    where = address(listener)
    assert knock("kube-proxy.service", own={"kube-proxy.service": where}) == [
        f"knock kube-proxy.service {where} answers"
    ]
    server.join()
    assert heard == [b"GET /healthz HTTP/1.0\r\n\r\n"]


def test_a_unix_socket_is_greeted_in_http_2_and_one_that_is_not_there_is_silent(tmp_path: Path) -> None:
    where, heard = f"{tmp_path}/s", []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(where)
        listening.listen()

        def serve() -> None:
            with listening.accept()[0] as connection:
                heard.append(connection.recv(100))
                connection.sendall(b"\0\0\0\4\0\0\0\0\0")

        server = Thread(target=serve)
        server.start()
        assert knock("containerd.service", own={"containerd.service": where}) == [
            f"knock containerd.service {where} answers"
        ]
        server.join()
    assert heard[0].startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert knock("containerd.service", own={"containerd.service": f"{where}x"}) == [
        f"knock containerd.service {where}x silent"
    ]


def test_units_without_a_door_are_not_asked() -> None:
    assert knock("etcd.service", "kubo-images.service") == []


def test_knocks_are_read_from_the_answer() -> None:
    text = f"now 12870.0\ninit S {'0 ' * 30}\nknock endpoint 10.0.0.9:8443 reached\nknock kubelet.service x silent\n"
    assert parse_vital_signs(text).knocks == (
        Knock(name="endpoint", address="10.0.0.9:8443", word="reached"),
        Knock(name="kubelet.service", address="x", word="silent"),
    )


def signs(*knocks: str, **changes: Any) -> VitalSigns:
    words = (each.split() for each in knocks)
    said = tuple(Knock(name=name, address=where, word=word) for name, where, word in words)
    return evolve(WELL, knocks=said, **changes)


@pytest.mark.parametrize(
    ("knocks", "verdict", "word", "details"),
    [
        ((), Verdict.GOOD, "not asked", ()),
        (("kubelet.service x silent",), Verdict.GOOD, "not asked", ()),
        (("endpoint a:1 reached",), Verdict.GOOD, "reaches a:1", ("a:1",)),
        (("endpoint a:1 silent",), Verdict.BAD, "cannot reach a:1", ("a:1",)),
        (("endpoint a:1 refused",), Verdict.BAD, "cannot reach a:1", ("a:1",)),
        (("peer a:1 refused",), Verdict.GOOD, "reaches a:1", ("a:1",)),
        (("peer a:1 silent", "peer b:1 reached"), Verdict.GOOD, "reaches b:1", ("b:1",)),
        (("peer a:1 silent", "peer b:1 silent"), Verdict.BAD, "cannot reach a:1 or b:1", ("a:1", "b:1")),
    ],
)
def test_a_machine_is_well_connected_when_it_reaches_one_of_those_it_tried(
    knocks: tuple[str, ...], verdict: Verdict, word: str, details: tuple[str, ...]
) -> None:
    fact = network_fact(signs(*knocks), NOW)
    assert (fact.source, fact.verdict, fact.word, fact.details) == (Source.NETWORK, verdict, word, details)


def test_a_machine_that_boots_may_not_have_its_network_yet() -> None:
    booting = signs("endpoint a:1 silent", uptime=3.0, booted=False)
    assert network_fact(booting, NOW).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("word", ["silent", "refused"])
def test_an_active_unit_whose_daemon_does_not_answer_is_bad_and_named(word: str) -> None:
    fact = units_fact(signs(f"kubelet.service x {word}"), NOW)
    assert (fact.verdict, fact.word, fact.details) == (Verdict.BAD, "kubelet does not answer", ("kubelet.service",))
    assert units_fact(signs("kubelet.service x answers"), NOW).verdict is Verdict.GOOD


def test_a_daemon_that_just_started_need_not_answer_yet() -> None:
    young = evolve(signs("kubelet.service x refused"), units=(evolve(KUBELET, age=SETTLING_SECONDS - 1.0),))
    assert units_fact(young, NOW).verdict is Verdict.GOOD


def doors(instance: str, endpoint: Endpoint | None = API, *, trusted: bool = False) -> list[str]:
    machines = {
        each.id: Vm(
            id=each.slug,
            cluster=SPEC.id,
            instance=each.id,
            token="t",
            state=VmState.RUNNING,
            address=str(IPv4Address("10.0.0.20") + number),
            az="z1",
            provider_id="x",
        )
        for number, each in enumerate(SPEC.instances())
    }
    names = {vm.address: vm.instance for vm in machines.values()}
    wished = next(each for each in SPEC.instances() if each.id == instance)
    found = (door.split("=") for door in doors_for(SPEC, wished, machines, endpoint, trusted=trusted))
    hosts = ((kind, *where.split(":")) for kind, where in found)
    return [f"{kind} {names.get(host, host)} {port}" for kind, host, port in hosts]


def test_each_role_is_to_reach_what_it_needs() -> None:
    port = SPEC.kubernetes.api_port
    assert doors("worker/0") == doors("master/0") == ["endpoint 10.0.0.9 8443"]
    assert doors("etcd/0") == ["peer etcd/1 2380", "peer etcd/2 2380"]
    assert doors("proxy/0") == [f"peer master/0 {port}", f"peer master/1 {port}"]


def test_an_endpoint_that_has_a_name_or_no_address_yet_is_not_asked_for() -> None:
    masters = [f"peer {master.id} {SPEC.kubernetes.api_port}" for master in SPEC.instances(Role.MASTER)]
    assert doors("worker/0", evolve(API, host="api.example.org")) == doors("worker/0", None) == masters


def test_who_was_well_and_is_asked_over_the_network_anyway_does_not_knock() -> None:
    assert doors("etcd/0", trusted=True) == doors("master/1", trusted=True) == []
    assert doors("worker/0", trusted=True) == doors("worker/0")
    assert doors("proxy/0", trusted=True) == doors("proxy/0")
