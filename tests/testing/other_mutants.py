"""Providers of the other ports that break one promise each, and the test that must notice."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from kubo_sdk.builtin.haproxy_config import HaproxyConfig
from kubo_sdk.builtin.haproxy_ingress import HaproxyIngress
from kubo_sdk.builtin.hosts_dns import HostsDns
from kubo_sdk.errors import Conflict
from kubo_sdk.model.instance import Role
from kubo_sdk.ports.access import Etcd
from kubo_sdk.ports.credentials import Certificate, Credential, CredentialValue, Kind, Mode, Parameters, Text
from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile
from kubo_sdk.testing.fakes.network import FakeDns, FakeIngress, FakeOverlay
from kubo_sdk.testing.fakes.site import FakeSite
from kubo_sdk.testing.fakes.store import MemoryStore


class NeverConverges(MemoryStore):
    def generate(self, name: str, parameters: Parameters, mode: Mode = Mode.CONVERGE) -> Credential:
        return super().generate(name, parameters, Mode.OVERWRITE if mode is Mode.CONVERGE else mode)


class ShowsTheSecretItRefuses(MemoryStore):
    def put(self, name: str, kind: Kind, value: CredentialValue) -> Credential:
        try:
            return super().put(name, kind, value)
        except Conflict as error:
            shown = value.text.reveal() if isinstance(value, Text) else value
            raise Conflict(f"{error}, not {shown}") from error


class KeepsOldVersions(MemoryStore):
    def delete(self, name: str) -> None:
        """Says that it did."""


class SiteDns(FakeDns):
    """A fake DNS, with its site at hand for what it does wrong."""

    def __init__(self, site: FakeSite) -> None:
        super().__init__(site)
        self.site = site


class ReplacesWhatIsNotItsOwn(SiteDns):
    def put_record(self, record: Record) -> None:
        for site in self.site.cloud.sites():
            if site is not self.site and (record.name, record.type) in site.records:
                site.records[record.name, record.type] = record
                return
        super().put_record(record)


class ListsTheWholeZone(SiteDns):
    def list_records(self) -> tuple[Record, ...]:
        return tuple(record for site in self.site.cloud.sites() for record in site.records.values())


class ForgetsTheTimeToLive(SiteDns):
    def put_record(self, record: Record) -> None:
        super().put_record(evolve(record, ttl=60))


class AddsInsteadOfReplacing(SiteDns):
    def put_record(self, record: Record) -> None:
        there = self.site.records.get((record.name.lower(), record.type))
        more = there.values if there is not None else ()
        super().put_record(evolve(record, values=tuple(dict.fromkeys((*more, *record.values)))))


class TellsNamesApartByCase(SiteDns):
    def put_record(self, record: Record) -> None:
        self.site.records[record.name, record.type] = record


class ForgetsToDelete(FakeIngress):
    def delete_endpoint(self, name: str) -> None:
        """Says that it did."""


class MovesTheAddress(FakeIngress):
    hosts = itertools.count(1)

    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        return evolve(super().ensure_endpoint(request), host=f"127.1.1.{next(self.hosts)}")


class KeepsTheFirstBackends(FakeIngress):
    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        return next((each for each in self.list_endpoints() if each.name == request.name), None) or (
            super().ensure_endpoint(request)
        )


class WritesTheNetworkEachTime(FakeOverlay):
    def ensure_network(self, etcd: Etcd) -> None:
        etcd.put("/fake/network/config", b"{}")


class WritesBesideItsPrefix(FakeOverlay):
    def ensure_network(self, etcd: Etcd) -> None:
        super().ensure_network(etcd)
        etcd.put("/fake/network-of-mine", b"{}")


class CountsWhatItRenders(HostsDns):
    numbers = itertools.count()

    def node_files(self, context: NodeContext) -> Contribution:
        note = NodeFile(path="/etc/kubo/rendered", content=f"{next(self.numbers)}\n")
        return super().node_files(context) + Contribution(files=(note,))


class LetsEverybodyReadAKey(HostsDns):
    def node_files(self, context: NodeContext) -> Contribution:
        keys = [each.value.private_key for each in context.credentials.values() if isinstance(each.value, Certificate)]
        note = NodeFile(path="/etc/kubo/keys", content="".join(key.reveal() for key in keys))
        return super().node_files(context) + Contribution(files=(note,))


class LeavesTheApiOut(HostsDns):
    def node_files(self, context: NodeContext) -> Contribution:
        return super().node_files(evolve(context, api=evolve(context.api, host="a.name.only")))


class RestartsOnWhatIsNotItsOwn(HaproxyIngress):
    def __init__(self) -> None:
        super().__init__(HaproxyConfig())

    def node_files(self, context: NodeContext) -> Contribution:
        files = super().node_files(context)
        return evolve(files, units=tuple(evolve(unit, restart_on=("/etc/hosts",)) for unit in files.units))


class DoesNotFollowTheBackends(HaproxyIngress):
    def __init__(self) -> None:
        super().__init__(HaproxyConfig())

    def node_files(self, context: NodeContext) -> Contribution:
        return super().node_files(evolve(context, endpoints=()))


class ClaimsAFileOfTheCore(HaproxyIngress):
    def __init__(self) -> None:
        super().__init__(HaproxyConfig())

    def node_files(self, context: NodeContext) -> Contribution:
        if context.instance.role is not Role.WORKER:
            return super().node_files(context)
        return Contribution(files=(NodeFile(path="/etc/systemd/system/kubelet.service", content=""),))


STORE_MUTANTS: Mapping[type[Any], str] = {
    NeverConverges: "test_converge_keeps_what_was_made_from_the_same_parameters",
    ShowsTheSecretItRefuses: "test_nothing_it_hands_out_or_raises_shows_a_secret",
    KeepsOldVersions: "test_deleting_takes_every_version_and_no_neighbour",
}
DNS_MUTANTS: Mapping[type[Any], str] = {
    ReplacesWhatIsNotItsOwn: "test_the_records_of_others_are_neither_replaced_nor_deleted",
    ListsTheWholeZone: "test_the_records_of_others_are_not_listed",
    ForgetsTheTimeToLive: "test_the_time_to_live_is_kept_and_can_be_changed",
    AddsInsteadOfReplacing: "test_putting_a_record_replaces_the_one_of_its_name_and_type",
    TellsNamesApartByCase: "test_names_compare_without_regard_to_case",
}
INGRESS_MUTANTS: Mapping[type[Any], str] = {
    ForgetsToDelete: "test_what_lives_outside_is_listed_until_it_is_deleted",
    MovesTheAddress: "test_an_endpoint_keeps_its_address_when_its_backends_change",
    KeepsTheFirstBackends: "test_traffic_goes_to_the_backends_of_the_last_request",
}
OVERLAY_MUTANTS: Mapping[type[Any], str] = {
    WritesTheNetworkEachTime: "test_ensuring_the_network_twice_is_the_same_as_once",
    WritesBesideItsPrefix: "test_it_writes_below_its_prefixes_and_touches_nothing_else",
}
HOSTS_MUTANTS: Mapping[type[Any], str] = {
    CountsWhatItRenders: "test_the_same_context_gives_the_same_contribution",
    LetsEverybodyReadAKey: "test_a_secret_is_in_no_file_that_others_can_read_and_in_no_unit",
    LeavesTheApiOut: "test_where_nothing_is_published_every_machine_is_told_every_name",
}
PROXY_MUTANTS: Mapping[type[Any], str] = {
    RestartsOnWhatIsNotItsOwn: "test_its_units_restart_on_its_own_files_only",
    DoesNotFollowTheBackends: "test_what_runs_on_proxies_follows_the_backends",
    ClaimsAFileOfTheCore: "test_what_it_contributes_fits_beside_what_the_core_puts_there",
}
