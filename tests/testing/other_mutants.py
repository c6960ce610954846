"""Providers of the other ports that break one promise each, and the test that must notice."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve

from kubo_sdk.builtin.haproxy_config import HaproxyConfig
from kubo_sdk.builtin.haproxy_ingress import HaproxyIngress
from kubo_sdk.builtin.hosts_dns import HostsDns
from kubo_sdk.errors import AuthError, Conflict
from kubo_sdk.model.instance import ClusterId, Role
from kubo_sdk.ports.access import Etcd
from kubo_sdk.ports.credentials import (
    Certificate,
    Credential,
    CredentialSummary,
    CredentialValue,
    Kind,
    Mode,
    Parameters,
    Text,
)
from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile
from kubo_sdk.testing.fakes.network import FakeDns, FakeIngress, FakeOverlay
from kubo_sdk.testing.fakes.site import FakeSite
from kubo_sdk.testing.fakes.store import MemoryStore

from .fake_suites import PEOPLE


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


class ForgetsTheDirector(MemoryStore):
    def put(self, name: str, kind: Kind, value: CredentialValue) -> Credential:
        return super().put(name.replace("/kubo-2/", "/kubo/"), kind, value)

    def get(self, name: str) -> Credential:
        return super().get(name.replace("/kubo-2/", "/kubo/"))


class FindsWhatBeginsAlike(MemoryStore):
    def find(self, path: str) -> tuple[CredentialSummary, ...]:
        return tuple(each for each in super().find("/") if each.name.lower().startswith(path.lower()))


class SignsWithWhatItIntroduces(MemoryStore):
    def introduce_authority(self, name: str) -> Credential:
        made = super().introduce_authority(name)
        super().switch_authority(name)
        return made


class TrustsOneAuthorityAtATime(MemoryStore):
    def get(self, name: str) -> Credential:
        found = super().get(name)
        if not isinstance(found.value, Certificate):
            return found
        first, end, _ = found.value.ca.partition("-----END CERTIFICATE-----\n")
        return evolve(found, value=evolve(found.value, ca=first + end))


class KeepsWhatNeverSigned(MemoryStore):
    def retire_authority(self, name: str) -> None:
        versions = self._kept[name.lower()]
        versions[:] = [evolve(each, credential=evolve(each.credential, transitional=False)) for each in versions]


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


class KnowsOnlyWhatItPutItself(SiteDns):
    def __init__(self, site: FakeSite) -> None:
        super().__init__(FakeSite(cloud=site.cloud, cluster=site.cluster, nodes=site.nodes))


def without_director(site: FakeSite) -> FakeSite:
    """The site that clusters of that name share."""
    return site.cloud.site(ClusterId(director="anybody", name=site.cluster.name))


def alike(site: FakeSite) -> list[FakeSite]:
    """The sites of clusters whose mark begins like the one of that site."""
    return [each for each in site.cloud.sites() if str(each.cluster).startswith(str(site.cluster))]


class PutsUnderTheClusterAlone(SiteDns):
    def __init__(self, site: FakeSite) -> None:
        super().__init__(without_director(site))


class ListsWhatBeginsAlike(SiteDns):
    def list_records(self) -> tuple[Record, ...]:
        return tuple(record for site in alike(self.site) for record in site.records.values())


class TellsItsOwnByTheirNames(SiteDns):
    def list_records(self) -> tuple[Record, ...]:
        domain = f".{self.site.cluster.name}.kubo.internal"
        there = [record for site in self.site.cloud.sites() for record in tuple(site.records.values())]
        return tuple(record for record in there if record.name.lower().endswith(domain))


class SeesOthersInTheSameCaseOnly(SiteDns):
    def put_record(self, record: Record) -> None:
        there = [held for site in self.site.cloud.sites() if site is not self.site for held in site.records.values()]
        if any(held.name == record.name and held.type == record.type for held in there):
            raise Conflict(f"{record.name} belongs to somebody else; choose another name")
        self.site.records[record.name.lower(), record.type] = record


class ReplacesWhatPeopleMade(SiteDns):
    def put_record(self, record: Record) -> None:
        self.site.cloud.site(PEOPLE).records.pop((record.name.lower(), record.type), None)
        super().put_record(record)


class DeletesWhatPeopleMade(SiteDns):
    def delete_record(self, name: str, type: str) -> None:
        self.site.cloud.site(PEOPLE).records.pop((name.lower(), type), None)
        super().delete_record(name, type)


class WritesTheWholeZoneAnew(SiteDns):
    """Its lock keeps the threads of one connection apart, and no others."""

    def __init__(self, site: FakeSite) -> None:
        super().__init__(site)
        self.alone = threading.Lock()

    def put_record(self, record: Record) -> None:
        with self.alone:
            zone = dict(self.site.records)
            threading.Event().wait(0.002)
            self.site.records = {**zone, (record.name.lower(), record.type): record}


class WritesInPlace(SiteDns):
    """Whoever lists meanwhile sees what is written so far."""

    alone = threading.Lock()

    def put_record(self, record: Record) -> None:
        with self.alone:
            zone = {**self.site.records, (record.name.lower(), record.type): record}
            self.site.records = {}
            threading.Event().wait(0.002)
            self.site.records = zone


class CutsLongTexts(SiteDns):
    def put_record(self, record: Record) -> None:
        super().put_record(evolve(record, values=tuple(value[:255] for value in record.values)))


class KnowsAsciiAlone(SiteDns):
    def put_record(self, record: Record) -> None:
        values = tuple(value.encode("ascii", "replace").decode() for value in record.values)
        super().put_record(evolve(record, values=values))


class PutsAnAliasBesideAnything(SiteDns):
    def put_record(self, record: Record) -> None:
        self.site.records[record.name.lower(), record.type] = record


class LetsStrangeErrorsOut(SiteDns):
    def put_record(self, record: Record) -> None:
        try:
            super().put_record(record)
        except AuthError as error:
            raise PermissionError(str(error)) from error


class ListsIntoAList(SiteDns):
    def list_records(self) -> Any:
        return list(super().list_records())


class SiteIngress(FakeIngress):
    """A fake ingress, with its site at hand for what it does wrong."""

    def __init__(self, site: FakeSite) -> None:
        super().__init__(site)
        self.site = site

    def endpoints_of(self, sites: Iterable[FakeSite]) -> tuple[Endpoint, ...]:
        return tuple(endpoint for site in sites for endpoint in FakeIngress(site).list_endpoints())


class EnsuresUnderTheClusterAlone(SiteIngress):
    def __init__(self, site: FakeSite) -> None:
        super().__init__(without_director(site))


class ListsEndpointsOfWhatBeginsAlike(SiteIngress):
    def list_endpoints(self) -> tuple[Endpoint, ...]:
        return self.endpoints_of(alike(self.site))


class ListsWhatPeopleEnsured(SiteIngress):
    def list_endpoints(self) -> tuple[Endpoint, ...]:
        return self.endpoints_of((self.site, self.site.cloud.site(PEOPLE)))


class EnsuresOneForEachConnection(SiteIngress):
    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        return evolve(super().ensure_endpoint(evolve(request, name=f"{request.name}-{id(self)}")), name=request.name)


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
    SignsWithWhatItIntroduces: "test_an_introduced_authority_is_trusted_by_all_and_signs_nothing",
    TrustsOneAuthorityAtATime: "test_an_introduced_authority_is_trusted_by_all_and_signs_nothing",
    KeepsWhatNeverSigned: "test_one_that_never_signed_is_gone_when_it_is_retired",
    NeverConverges: "test_converge_keeps_what_was_made_from_the_same_parameters",
    ShowsTheSecretItRefuses: "test_nothing_it_hands_out_or_raises_shows_a_secret",
    KeepsOldVersions: "test_deleting_takes_every_version_and_no_neighbour",
    ForgetsTheDirector: "test_directors_and_clusters_whose_names_begin_alike_keep_their_own",
    FindsWhatBeginsAlike: "test_directors_and_clusters_whose_names_begin_alike_keep_their_own",
}
DNS_MUTANTS: Mapping[type[Any], str] = {
    ReplacesWhatIsNotItsOwn: "test_the_records_of_others_are_neither_replaced_nor_deleted",
    ListsTheWholeZone: "test_the_records_of_others_are_not_listed",
    ForgetsTheTimeToLive: "test_the_time_to_live_is_kept_and_can_be_changed",
    AddsInsteadOfReplacing: "test_putting_a_record_replaces_the_one_of_its_name_and_type",
    TellsNamesApartByCase: "test_names_compare_without_regard_to_case",
    KnowsOnlyWhatItPutItself: "test_another_process_finds_and_deletes_what_this_one_put",
    PutsUnderTheClusterAlone: "test_the_records_of_others_are_not_listed",
    ListsWhatBeginsAlike: "test_the_records_of_others_are_not_listed",
    TellsItsOwnByTheirNames: "test_the_records_of_others_are_not_listed",
    SeesOthersInTheSameCaseOnly: "test_the_records_of_others_are_neither_replaced_nor_deleted",
    ReplacesWhatPeopleMade: "test_the_records_of_people_are_neither_listed_nor_replaced_nor_deleted",
    DeletesWhatPeopleMade: "test_the_records_of_people_are_neither_listed_nor_replaced_nor_deleted",
    WritesTheWholeZoneAnew: "test_connections_and_clusters_that_write_at_once_lose_nothing_of_each_other",
    WritesInPlace: "test_whoever_lists_while_others_write_sees_what_nobody_touches",
    CutsLongTexts: "test_a_text_may_be_long_and_in_any_language",
    KnowsAsciiAlone: "test_a_text_may_be_long_and_in_any_language",
    PutsAnAliasBesideAnything: "test_an_alias_stands_beside_nothing_else",
    LetsStrangeErrorsOut: "test_wrong_credentials_are_an_auth_error_and_not_worth_another_try",
    ListsIntoAList: "test_a_zone_without_records_of_ours_lists_none",
}
INGRESS_MUTANTS: Mapping[type[Any], str] = {
    ForgetsToDelete: "test_what_lives_outside_is_listed_until_it_is_deleted",
    MovesTheAddress: "test_an_endpoint_keeps_its_address_when_its_backends_change",
    KeepsTheFirstBackends: "test_traffic_goes_to_the_backends_of_the_last_request",
    EnsuresUnderTheClusterAlone: "test_the_endpoints_of_another_cluster_are_its_own",
    ListsEndpointsOfWhatBeginsAlike: "test_the_endpoints_of_another_cluster_are_its_own",
    ListsWhatPeopleEnsured: "test_what_people_made_is_neither_listed_nor_touched",
    EnsuresOneForEachConnection: "test_connections_that_ensure_one_endpoint_get_one_address",
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
