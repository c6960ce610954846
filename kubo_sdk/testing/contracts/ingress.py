"""What every ingress promises.

Subclass `IngressContract` and give it a fixture ``ingress``, connected for the cluster of the fixture ``spec``
(`kubo_sdk.testing.node_contexts.sample_spec`), which must be nobody's real one: its endpoints are deleted::

    class TestMyIngress(IngressContract):
        @pytest.fixture
        def ingress(self, spec: ClusterSpec) -> Ingress:
            return MyIngress(...)

What else can be given: fixtures ``requests`` (endpoints with backends that exist, where the provider minds),
``backends_of``, ``stranger`` and ``namesake`` (the same provider connected for other clusters), ``made_by_hand``,
``registered`` (where masters register themselves), ``reconnected``, ``clock``.  What is not given is skipped with
its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Role
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest, Ingress, IngressInfo
from kubo_sdk.ports.node import NodeContributor
from kubo_sdk.testing.contracts.contract import (
    assert_is_final,
    at_once,
    at_once_through,
    error_of,
    not_offered,
    require_flag,
)
from kubo_sdk.testing.contracts.ingress_registering import SelfRegistration
from kubo_sdk.testing.node_contexts import SampleCluster

NOBODY = "kubo-contract-no-such-endpoint"

Eventually = Callable[..., None]
Requests = tuple[EndpointRequest, ...]


class IngressContract(SelfRegistration):
    """Endpoints outside the cluster, on its proxies where ``info().runs_on_proxies``, or of masters that register."""

    @pytest.fixture
    def ingress(self) -> Ingress:
        """The ingress to be judged, connected."""
        raise NotImplementedError("give the contract a fixture 'ingress'")

    @pytest.fixture
    def provider(self, ingress: Ingress) -> Any:
        return ingress

    @pytest.fixture
    def ingress_info(self, ingress: Ingress) -> IngressInfo:
        return ingress.info()

    @pytest.fixture
    def requests(self, sample: SampleCluster) -> Requests:
        """The endpoints a cluster asks for."""
        return sample.endpoints()

    @pytest.fixture
    def backends_of(self) -> Callable[[str], frozenset[str]]:
        """``backends_of("api")``: the addresses that endpoint sends traffic to now."""
        not_offered("backends_of", "tells where an endpoint's traffic goes")

    @pytest.fixture
    def stranger(self) -> Ingress:
        """The same provider connected for another cluster, `stranger_spec()`."""
        not_offered("stranger", "keeps endpoints of another cluster")

    @pytest.fixture
    def namesake(self) -> Ingress:
        """The same provider connected for a cluster of the same name of another director, `namesake_spec()`."""
        not_offered("namesake", "keeps endpoints of another director's cluster of the same name")

    @pytest.fixture(params=["stranger", "namesake"])
    def other(self, request: pytest.FixtureRequest) -> Ingress:
        """Each of the two clusters that are easily taken for ours."""
        found: Ingress = request.getfixturevalue(request.param)
        return found

    @pytest.fixture
    def made_by_hand(self) -> Callable[[], object]:
        """``made_by_hand()``: how an endpoint is now that people made past any provider; the fixture makes it first."""
        not_offered("made_by_hand", "makes an endpoint that no provider made, and reads how it is")

    @pytest.fixture
    def cleared(self, ingress: Ingress) -> Iterator[Ingress]:
        """The ingress.  Afterwards no endpoint of ours is left."""
        yield ingress
        for endpoint in ingress.list_endpoints():
            ingress.delete_endpoint(endpoint.name)

    @pytest.fixture
    def outside(self, cleared: Ingress) -> Ingress:
        """One that keeps its endpoints outside the cluster's machines."""
        if cleared.info().runs_on_proxies:
            pytest.skip("IngressInfo.runs_on_proxies is True")
        if cleared.info().self_registering:
            pytest.skip("IngressInfo.self_registering is True")
        return cleared

    @pytest.fixture
    def on_proxies(self, cleared: Ingress) -> Ingress:
        """One that runs on the cluster's proxies."""
        require_flag(cleared.info(), "runs_on_proxies")
        return cleared

    def test_it_says_which_contract_it_keeps(self, ingress: Ingress) -> None:
        assert ingress.info().contract == 1
        assert ingress.info() == ingress.info()

    def test_an_endpoint_has_the_name_and_the_first_port_that_were_asked_for(
        self, cleared: Ingress, requests: Requests
    ) -> None:
        made = [cleared.ensure_endpoint(request) for request in requests]
        assert [each.name for each in made] == [each.name for each in requests]
        if cleared.info().api is None:
            assert [each.port for each in made] == [each.ports[0] for each in requests]
        assert all(each.host for each in made)

    def test_ensuring_an_endpoint_twice_gives_the_same_address(self, cleared: Ingress, requests: Requests) -> None:
        for request in requests:
            first = cleared.ensure_endpoint(request)
            assert cleared.ensure_endpoint(request) == first

    def test_another_process_that_ensures_an_endpoint_gets_the_same_address(
        self, cleared: Ingress, reconnected: Ingress, requests: Requests
    ) -> None:
        for request in requests:
            first = cleared.ensure_endpoint(request)
            assert reconnected.ensure_endpoint(request) == first

    def test_an_endpoint_keeps_its_address_when_its_backends_change(self, cleared: Ingress, requests: Requests) -> None:
        for request in requests:
            first = cleared.ensure_endpoint(request)
            assert cleared.ensure_endpoint(evolve(request, backends=request.backends[:1])) == first
            assert cleared.ensure_endpoint(evolve(request, backends=())) == first
            assert cleared.ensure_endpoint(request) == first

    def test_threads_that_ensure_one_endpoint_get_one_address(self, cleared: Ingress, requests: Requests) -> None:
        made = set(at_once(lambda _: cleared.ensure_endpoint(requests[0]), range(8)))
        assert len(made) == 1

    def test_connections_that_ensure_one_endpoint_get_one_address(
        self, cleared: Ingress, reconnected: Ingress, requests: Requests
    ) -> None:
        ensure: Callable[[Ingress, object], Endpoint] = lambda ingress, _: ingress.ensure_endpoint(requests[0])  # noqa: E731
        assert len(set(at_once_through((cleared, reconnected), ensure, range(8)))) == 1

    def test_deleting_what_is_absent_succeeds(self, cleared: Ingress, requests: Requests) -> None:
        cleared.delete_endpoint(NOBODY)
        name = cleared.ensure_endpoint(requests[0]).name
        for _ in range(2):
            cleared.delete_endpoint(name)

    def test_what_lives_outside_is_listed_until_it_is_deleted(
        self, outside: Ingress, requests: Requests, eventually: Eventually
    ) -> None:
        made = {outside.ensure_endpoint(request) for request in requests}
        eventually(partial(_endpoints_of, outside), made)
        outside.delete_endpoint(requests[0].name)
        eventually(lambda: {each.name for each in outside.list_endpoints()}, {requests[1].name})
        outside.delete_endpoint(requests[1].name)
        eventually(outside.list_endpoints, ())

    def test_another_process_lists_what_this_one_made_and_deletes_it(
        self, outside: Ingress, reconnected: Ingress, requests: Requests, eventually: Eventually
    ) -> None:
        made = {outside.ensure_endpoint(request) for request in requests}
        eventually(partial(_endpoints_of, reconnected), made)
        for request in requests:
            reconnected.delete_endpoint(request.name)
        eventually(outside.list_endpoints, ())

    def test_two_endpoints_are_two_doors(self, outside: Ingress, requests: Requests) -> None:
        made = {(each.host, each.port) for each in map(outside.ensure_endpoint, requests)}
        assert len(made) == len(requests)

    def test_traffic_goes_to_the_backends_of_the_last_request(
        self, outside: Ingress, requests: Requests, backends_of: Callable[[str], frozenset[str]], eventually: Eventually
    ) -> None:
        request = requests[0]
        for backends in (request.backends, request.backends[:1], request.backends):
            outside.ensure_endpoint(evolve(request, backends=backends))
            eventually(lambda: backends_of(request.name), frozenset(each.address for each in backends))

    def test_the_endpoints_of_another_cluster_are_its_own(
        self, outside: Ingress, other: Ingress, requests: Requests, eventually: Eventually
    ) -> None:
        ours, theirs = outside.ensure_endpoint(requests[0]), other.ensure_endpoint(requests[0])
        try:
            assert (ours.host, ours.port) != (theirs.host, theirs.port)
            eventually(lambda: set(outside.list_endpoints()), {ours})
            outside.delete_endpoint(requests[0].name)
            eventually(lambda: set(other.list_endpoints()), {theirs})
        finally:
            other.delete_endpoint(requests[0].name)

    def test_what_people_made_is_neither_listed_nor_touched(
        self, outside: Ingress, made_by_hand: Callable[[], object], requests: Requests, eventually: Eventually
    ) -> None:
        before = made_by_hand()
        ours = {outside.ensure_endpoint(request) for request in requests}
        eventually(partial(_endpoints_of, outside), ours)
        for request in requests:
            outside.delete_endpoint(request.name)
        eventually(outside.list_endpoints, ())
        assert made_by_hand() == before

    def test_what_runs_on_proxies_keeps_nothing_elsewhere(self, on_proxies: Ingress, requests: Requests) -> None:
        for request in requests:
            on_proxies.ensure_endpoint(request)
        assert on_proxies.list_endpoints() == ()

    def test_what_runs_on_proxies_has_no_address_before_they_have(
        self, on_proxies: Ingress, requests: Requests
    ) -> None:
        nowhere = tuple(evolve(proxy, address="") for proxy in requests[0].proxies)
        for proxies in (nowhere, ()):
            ensure = partial(on_proxies.ensure_endpoint, evolve(requests[0], proxies=proxies))
            assert_is_final(error_of(ensure, NotFound))

    def test_what_runs_on_proxies_follows_the_backends(
        self, on_proxies: Ingress, contributor: NodeContributor, sample: SampleCluster
    ) -> None:
        assert on_proxies
        for instance in ("master/1", "worker/1"):
            moved = sample.with_address(instance, "10.66.0.99")
            before, after = (contributor.node_files(each.of_role(Role.PROXY)) for each in (sample, moved))
            assert before.units
            changed = {file.path for file in after.files if file not in before.files}
            restarting = {path for unit in after.units for path in unit.restart_on}
            watchers = [unit.text for unit in after.units if unit.name.endswith(".path")]
            watched = {path for path in changed if any(path in text for text in watchers)}
            told = restarting & changed or watched or before.units != after.units
            assert told, f"nothing restarts or watches a changed file on the proxies when {instance} moves"

    def test_an_endpoint_that_was_deleted_can_be_made_again(
        self, outside: Ingress, requests: Requests, eventually: Eventually
    ) -> None:
        outside.ensure_endpoint(requests[0])
        outside.delete_endpoint(requests[0].name)
        made: Endpoint = outside.ensure_endpoint(requests[0])
        eventually(lambda: set(outside.list_endpoints()), {made})


def _endpoints_of(ingress: Ingress) -> set[Endpoint]:
    return set(ingress.list_endpoints())
