"""The lease inside the cluster, against a real kube-apiserver.  Time is the test's own, not the server's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.clients.leases import NAME, NAMESPACE, read_lease, write_lease
from kubo_sdk.cluster_lease import LEASE_SECONDS, RENEW_SECONDS, ClusterLease
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.errors import Conflict, LeaseHeld
from kubo_sdk.events import Event, LeaseAwaited, LeaseLost
from kubo_sdk.model.instance import ClusterId

CLUSTER = ClusterId(director="d", name="c")


class OwnTime:
    """A clock that a test moves; its time of day may be wrong.  *each* happens at every sleep."""

    def __init__(self, wrong_by: timedelta = timedelta(0)) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC) + wrong_by
        self._start = self._now
        self.each: Callable[[], object] = lambda: None

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        self.move(seconds)
        self.each()


class Director:
    """One who wants the lease, with a clock and a way to the API of its own."""

    def __init__(self, api, name: str, *, clock: OwnTime | None = None, gone: tuple[str, ...] = ()) -> None:
        self.clock = clock or OwnTime()
        self.stop = CancelToken()
        self.told: list[Event] = []
        self.api = api
        self.lease = ClusterLease(
            cluster=CLUSTER,
            operation="deploy",
            holder=f"host_{name}_x",
            gone=gone,
            client=lambda: self.api,
            clock=self.clock,
            stop=self.stop,
            tell=self.told.append,
        )

    def live(self, seconds: float = 0.5) -> None:
        """Let time go by and renew."""
        self.clock.move(seconds)
        self.lease.renew()


@pytest.fixture(scope="module")
def server(etcd, start_apiserver):
    server = start_apiserver(etcd)
    client = KubernetesClient(server.https())
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    return server


@pytest.fixture
def api(server) -> KubernetesClient:
    client = KubernetesClient(server.https())
    client.delete(
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME, "namespace": NAMESPACE}}
    )
    return client


@pytest.fixture
def away(authority) -> KubernetesClient:
    """An API that does not answer."""
    return KubernetesClient(HttpsClient([("127.0.0.1", 1)], authority.ca))


def test_the_object_says_who_works_and_since_when(api) -> None:
    director = Director(api, "1")
    director.lease.acquire()
    director.clock.move(RENEW_SECONDS)
    director.lease.renew()
    found = api.get(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}")
    assert found["metadata"]["annotations"] == {"kubo/operation": "deploy"}
    assert found["spec"] == {
        "holderIdentity": "host_1_x",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:05.000000Z",
        "leaseTransitions": 0,
    }


def test_a_living_holder_is_named_as_soon_as_it_renews(api) -> None:
    first, second = Director(api, "41"), Director(api, "42")
    first.lease.acquire()

    def live() -> None:
        first.clock.move(0.5)
        first.lease.renew(older_than=RENEW_SECONDS)

    second.clock.each = live
    with pytest.raises(LeaseHeld, match=r"d/c is being worked on by process 41 on host \(deploy, for 5 s\); wait for"):
        second.lease.acquire()
    assert second.clock.monotonic() <= RENEW_SECONDS + 1
    assert [type(event) for event in second.told] == [LeaseAwaited]


def test_a_dead_holder_is_followed_after_its_duration_and_no_sooner(api) -> None:
    Director(api, "1").lease.acquire()
    second = Director(api, "2")
    second.lease.acquire()
    assert second.lease.is_held
    assert LEASE_SECONDS <= second.clock.monotonic() <= LEASE_SECONDS + 1
    record = read_lease(api)
    assert record is not None
    assert (record.holder, record.transitions) == ("host_2_x", 1)


@pytest.mark.parametrize("wrong_by", [timedelta(days=-400), timedelta(days=400)])
def test_a_clock_that_is_wrong_neither_robs_a_living_holder_nor_honours_a_dead_one(api, wrong_by) -> None:
    first = Director(api, "1")
    first.lease.acquire()
    living = Director(api, "2", clock=OwnTime(wrong_by))
    living.clock.each = first.live
    with pytest.raises(LeaseHeld):
        living.lease.acquire()
    second = Director(api, "3", clock=OwnTime(wrong_by))
    second.lease.acquire()
    assert LEASE_SECONDS <= second.clock.monotonic() <= LEASE_SECONDS + 1


def test_a_holder_known_to_be_gone_is_followed_at_once(api) -> None:
    Director(api, "1").lease.acquire()
    second = Director(api, "2", gone=("host_0_x", "host_1_x"))
    second.lease.acquire()
    assert second.lease.is_held
    assert second.clock.monotonic() == 0


def test_a_released_lease_is_free_at_once(api) -> None:
    first = Director(api, "1")
    first.lease.acquire()
    first.lease.release()
    second = Director(api, "2")
    second.lease.acquire()
    assert second.lease.is_held
    assert second.clock.monotonic() == 0


def test_a_stolen_lease_stops_the_operation_and_is_not_released(api) -> None:
    first, thief = Director(api, "1"), Director(api, "2", gone=("host_1_x",))
    first.lease.acquire()
    thief.lease.acquire()
    first.lease.renew()
    assert "is being worked on by process 2 on host" in first.lease.lost
    assert first.stop.is_cancelled
    assert [type(event) for event in first.told] == [LeaseLost]
    first.lease.release()
    assert read_lease(api).holder == "host_2_x"


def test_without_the_api_the_work_goes_on_and_the_lease_is_taken_later(api, away) -> None:
    director = Director(away, "1")
    director.lease.acquire()
    director.lease.renew()
    assert not director.lease.is_held
    director.api = None
    director.lease.renew()
    assert not director.stop.is_cancelled
    director.api = api
    director.lease.renew()
    assert director.lease.is_held


def test_an_api_that_was_away_longer_than_the_lease_changes_nothing_when_nobody_took_it(api, away) -> None:
    director = Director(api, "1")
    director.lease.acquire()
    director.api = away
    for _ in range(10):
        director.clock.move(RENEW_SECONDS)
        director.lease.renew()
    director.api = api
    director.lease.renew()
    assert not director.stop.is_cancelled
    assert (read_lease(api).holder, read_lease(api).transitions) == ("host_1_x", 0)


def test_whoever_took_the_lease_while_the_api_was_away_keeps_it(api, away) -> None:
    first, second = Director(api, "1"), Director(api, "2")
    first.lease.acquire()
    first.api = away
    first.lease.renew()
    second.lease.acquire()
    first.api = api
    first.lease.renew()
    assert first.stop.is_cancelled
    assert read_lease(api).holder == "host_2_x"


def test_a_lease_that_another_director_had_and_gave_back_is_lost_all_the_same(api) -> None:
    """What it did made our plan outdated."""
    first, second = Director(api, "1"), Director(api, "2")
    first.lease.acquire()
    second.lease.acquire()
    second.lease.release()
    first.live()
    assert first.stop.is_cancelled
    assert first.lease.lost == "another director worked on cluster d/c meanwhile; run the same command again"


def test_an_object_that_was_deleted_is_made_again(api) -> None:
    director = Director(api, "1")
    director.lease.acquire()
    record = {"name": NAME, "namespace": NAMESPACE}
    api.delete({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": record})
    director.lease.renew()
    assert read_lease(api).holder == "host_1_x"


def test_a_write_whose_answer_was_lost_is_not_taken_for_a_thief(api) -> None:
    director = Director(api, "1")
    director.lease.acquire()
    director.clock.move(RENEW_SECONDS)
    write_lease(api, attrs.evolve(read_lease(api), renewed=director.clock.now()))
    director.live()
    assert director.lease.is_held
    assert not director.stop.is_cancelled


def test_an_api_that_refuses_us_for_the_leases_duration_stops_the_operation(server, api, authority) -> None:
    nobody = authority.issue("nobody")
    director = Director(api, "1")
    director.lease.acquire()
    director.api = KubernetesClient(HttpsClient([(server.host, 8443)], authority.ca, nobody.certificate, nobody.key))
    for _ in range(2):
        director.clock.move(RENEW_SECONDS)
        director.lease.renew()
    assert not director.stop.is_cancelled
    director.clock.move(RENEW_SECONDS)
    director.lease.renew()
    assert director.stop.is_cancelled
    assert "could not be renewed for 15 s: replace" in director.lease.lost


def test_of_two_that_find_the_lease_free_one_gets_it(api) -> None:
    directors = [Director(api, str(number)) for number in range(8)]
    start = threading.Barrier(len(directors))
    refused: list[LeaseHeld] = []

    def compete(director: Director) -> None:
        start.wait(10)
        try:
            director.lease.acquire()
        except LeaseHeld as error:
            refused.append(error)

    holders = threading.Event()

    def keep(director: Director) -> None:
        """Every one that has it lives on, as long as others wait."""
        while not holders.wait(0.01):
            if director.lease.is_held:
                director.live()

    threads = [threading.Thread(target=compete, args=(director,)) for director in directors]
    keepers = [threading.Thread(target=keep, args=(director,)) for director in directors]
    for director in directors:
        director.clock.each = lambda: threading.Event().wait(0.1)
    for thread in (*threads, *keepers):
        thread.start()
    for thread in threads:
        thread.join()
    holders.set()
    for thread in keepers:
        thread.join()
    assert [director.lease.is_held for director in directors].count(True) == 1
    assert len(refused) == 7


def test_a_second_write_over_the_same_state_is_refused(api) -> None:
    Director(api, "1").lease.acquire()
    record = read_lease(api)
    write_lease(api, attrs.evolve(record, operation="delete"))
    with pytest.raises(Conflict):
        write_lease(api, record)
    with pytest.raises(Conflict):
        write_lease(api, attrs.evolve(record, version=""))


def test_a_step_asks_again_only_when_nobody_did_for_a_while(api) -> None:
    director = Director(api, "1")
    director.lease.acquire()
    version = read_lease(api).version
    director.clock.move(9)
    director.lease.renew(older_than=10)
    assert read_lease(api).version == version
    director.clock.move(1)
    director.lease.renew(older_than=10)
    assert read_lease(api).version != version
