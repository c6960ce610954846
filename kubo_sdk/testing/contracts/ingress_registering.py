"""What an ingress promises whose masters register themselves: ``info().api`` says where that is.

Part of `IngressContract`.  The fixture ``registered`` does what the provider's units do on the masters.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.model.instance import Role
from kubo_sdk.ports.ingress import EndpointRequest, Ingress, IngressManifests
from kubo_sdk.ports.node import NodeContributor
from kubo_sdk.systemd import UNIT_DIRECTORY
from kubo_sdk.testing.contracts.contract import not_offered, require_flag
from kubo_sdk.testing.contracts.contribution import ContributionContract
from kubo_sdk.testing.node_contexts import SampleCluster

API_SERVER = "kube-apiserver.service"

Eventually = Callable[..., None]


class SelfRegistration(ContributionContract):
    """Skipped where ``info().api`` is None."""

    @pytest.fixture
    def registered(self) -> Callable[[], None]:
        """``registered()``: from now on the masters of the sample cluster are registered."""
        not_offered("registered", "registers the masters as the provider's units on them do")

    @pytest.fixture
    def registering(self, cleared: Ingress) -> Ingress:
        """One whose masters register themselves."""
        require_flag(cleared.info(), "self_registering")
        return cleared

    def test_the_api_is_where_the_options_say_whoever_is_behind_it(
        self, registering: Ingress, reconnected: Ingress, requests: tuple[EndpointRequest, ...]
    ) -> None:
        for backends in (requests[0].backends, requests[0].backends[:1], ()):
            assert registering.ensure_endpoint(evolve(requests[0], backends=backends)) == registering.info().api
        assert reconnected.info().api == registering.info().api

    def test_what_is_registered_is_listed_until_it_is_deleted(
        self,
        registering: Ingress,
        reconnected: Ingress,
        requests: tuple[EndpointRequest, ...],
        registered: Callable[[], None],
        eventually: Eventually,
    ) -> None:
        assert registering.ensure_endpoint(requests[0]) == registering.info().api
        assert registering.list_endpoints() == ()
        registered()
        assert reconnected.ensure_endpoint(requests[0]) == registering.info().api
        for ingress in (registering, reconnected):
            eventually(ingress.list_endpoints, (registering.info().api,))
        reconnected.delete_endpoint(requests[0].name)
        eventually(registering.list_endpoints, ())

    def test_deleting_an_endpoint_leaves_what_others_registered(
        self,
        registering: Ingress,
        other: Ingress,
        requests: tuple[EndpointRequest, ...],
        registered: Callable[[], None],
        eventually: Eventually,
    ) -> None:
        registered()
        eventually(registering.list_endpoints, (registering.info().api,))
        assert other.list_endpoints() == ()
        other.delete_endpoint(requests[0].name)
        assert registering.list_endpoints() == (registering.info().api,)

    def test_what_people_registered_is_neither_listed_nor_touched_by_what_registers_itself(
        self,
        registering: Ingress,
        made_by_hand: Callable[[], object],
        requests: tuple[EndpointRequest, ...],
        registered: Callable[[], None],
        eventually: Eventually,
    ) -> None:
        before = made_by_hand()
        assert registering.list_endpoints() == ()
        registered()
        eventually(registering.list_endpoints, (registering.info().api,))
        registering.delete_endpoint(requests[0].name)
        eventually(registering.list_endpoints, ())
        assert made_by_hand() == before

    def test_masters_have_units_that_take_them_back_before_their_api_server_stops(
        self, registering: Ingress, contributor: NodeContributor, sample: SampleCluster
    ) -> None:
        withdrawing = registering.info().withdrawn_by
        assert withdrawing
        for role in Role:
            units = {unit.name: unit.text for unit in contributor.node_files(sample.of_role(role)).units}
            found = [name for name in withdrawing if name in units]
            assert found == (list(withdrawing) if role is Role.MASTER else [])
            for name in found:
                after = [line for line in units[name].splitlines() if line.startswith("After=")]
                assert any(API_SERVER in line for line in after), f"{UNIT_DIRECTORY}/{name} is not ordered"

    def test_its_objects_are_always_the_same_and_bind_nobody_but_its_user(
        self, ingress: Ingress, reconnected: Ingress
    ) -> None:
        if not isinstance(ingress, IngressManifests):
            pytest.skip(f"{type(ingress).__name__} has no manifests")
        assert isinstance(reconnected, IngressManifests)
        said = partial(json.dumps, sort_keys=True)
        objects: list[Any] = json.loads(said(ingress.manifests()))
        assert said(reconnected.manifests()) == said(ingress.manifests()) == said(objects)
        names = [(each["apiVersion"], each["kind"], each["metadata"]["name"]) for each in objects]
        assert len(set(names)) == len(names)
        subjects = [subject["name"] for each in objects for subject in each.get("subjects", ())]
        assert set(subjects) <= {ingress.info().kubernetes_user}
