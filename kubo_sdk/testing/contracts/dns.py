"""What every DNS provider promises.

Subclass `DnsContract` and give it a fixture ``dns``, connected for the cluster of the fixture ``spec``
(`kubo_sdk.testing.node_contexts.sample_spec`), which must be nobody's real one: its records are deleted::

    class TestMyDns(DnsContract):
        @pytest.fixture
        def dns(self, spec: ClusterSpec) -> Dns:
            return MyDns(...)

What else can be given: fixtures ``stranger`` (the same provider connected for another cluster in the same zone),
``reconnected``, ``clock``; attributes ``record_types``, ``patience``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import Conflict
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.ports.node import NodeContributor
from kubo_sdk.testing.contracts.contract import assert_is_final, at_once, error_of, not_offered, require_flag
from kubo_sdk.testing.contracts.contribution import ContributionContract
from kubo_sdk.testing.node_contexts import SampleCluster

THREADS = 24

Eventually = Callable[..., None]
Found = Callable[[], frozenset[Record]]


class DnsContract(ContributionContract):
    """Records where ``info().publishes``; otherwise the names in the files of machines."""

    record_types: tuple[str, ...] = ("A", "AAAA", "CNAME", "TXT", "SRV", "PTR")

    @pytest.fixture
    def dns(self) -> Dns:
        """The DNS provider to be judged, connected."""
        raise NotImplementedError("give the contract a fixture 'dns'")

    @pytest.fixture
    def provider(self, dns: Dns) -> Any:
        return dns

    @pytest.fixture
    def stranger(self) -> Dns:
        """The same provider connected for another cluster in the same zone; its records are not ours."""
        not_offered("stranger", "puts records of somebody else into the zone")

    @pytest.fixture
    def zone(self, dns: Dns, spec: ClusterSpec) -> Iterator[str]:
        """What our names end in.  Afterwards no record of ours is left."""
        require_flag(dns.info(), "publishes")
        try:
            yield spec.domain
        finally:
            for record in dns.list_records():
                dns.delete_record(record.name, record.type)

    @pytest.fixture
    def records(self, dns: Dns) -> Found:
        """What the provider lists now."""
        return lambda: _as_set(dns)

    def test_it_says_which_contract_it_keeps(self, dns: Dns) -> None:
        assert dns.info().contract == 1
        assert dns.info() == dns.info()

    def test_a_zone_without_records_of_ours_lists_none(self, zone: str, records: Found, eventually: Eventually) -> None:
        assert zone
        eventually(records, frozenset())

    @pytest.mark.parametrize("type", ["A", "AAAA", "CNAME", "TXT", "SRV", "PTR"])
    def test_a_record_of_every_type_is_listed_as_it_was_put(
        self, dns: Dns, zone: str, type: str, records: Found, eventually: Eventually
    ) -> None:
        if type not in self.record_types:
            pytest.skip(f"record_types has no {type}")
        record = sample_record(zone, type)
        dns.put_record(record)
        eventually(records, frozenset({record}))

    def test_putting_the_same_record_twice_leaves_one(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        record = sample_record(zone, "A")
        for _ in range(2):
            dns.put_record(record)
        eventually(records, frozenset({record}))
        eventually(lambda: len(dns.list_records()), 1)

    def test_putting_a_record_replaces_the_one_of_its_name_and_type(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        record = sample_record(zone, "A")
        dns.put_record(record)
        changed = evolve(record, values=("10.66.0.3",))
        dns.put_record(changed)
        eventually(records, frozenset({changed}))

    def test_the_time_to_live_is_kept_and_can_be_changed(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        for ttl in (300, 120):
            record = evolve(sample_record(zone, "A"), ttl=ttl)
            dns.put_record(record)
            eventually(records, frozenset({record}))
        assert [found.ttl for found in dns.list_records()] == [120]

    def test_the_order_of_values_means_nothing(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        values = ("10.66.0.3", "10.66.0.1", "10.66.0.2")
        record = evolve(sample_record(zone, "A"), values=values)
        dns.put_record(record)
        dns.put_record(evolve(record, values=tuple(reversed(values))))
        eventually(records, frozenset({record}))
        (found,) = dns.list_records()
        assert sorted(found.values) == sorted(values)

    def test_names_compare_without_regard_to_case(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        record = sample_record(zone, "A")
        dns.put_record(record)
        changed = evolve(record, name=record.name.upper(), values=("10.66.0.3",))
        dns.put_record(changed)
        eventually(records, frozenset({changed}))
        dns.delete_record(record.name.title(), "A")
        eventually(records, frozenset())

    def test_two_types_of_one_name_are_two_records(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        address, text = sample_record(zone, "A"), evolve(sample_record(zone, "TXT"), name=f"host.{zone}")
        dns.put_record(address)
        dns.put_record(text)
        eventually(records, frozenset({address, text}))
        dns.delete_record(address.name, "A")
        eventually(records, frozenset({text}))

    def test_deleting_takes_one_record_and_no_neighbour(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        record = sample_record(zone, "A")
        near = [evolve(record, name=name) for name in (f"below.{record.name}", f"a{record.name}", f"host-2.{zone}")]
        for each in (record, *near):
            dns.put_record(each)
        dns.delete_record(record.name, record.type)
        eventually(records, frozenset(near))

    def test_deleting_what_is_absent_succeeds(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        record = sample_record(zone, "A")
        dns.delete_record(record.name, record.type)
        dns.put_record(record)
        for _ in range(2):
            dns.delete_record(record.name, record.type)
        eventually(records, frozenset())

    def test_another_process_finds_and_deletes_what_this_one_put(
        self, dns: Dns, reconnected: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:  # fmt: skip
        record = sample_record(zone, "A")
        dns.put_record(record)
        eventually(lambda: _as_set(reconnected), frozenset({record}))
        reconnected.delete_record(record.name, record.type)
        eventually(records, frozenset())

    def test_many_records_are_put_and_deleted_at_once(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        record = sample_record(zone, "A")
        many = [evolve(record, name=f"host-{n}.{zone}", values=(f"10.66.1.{n}",)) for n in range(1, THREADS)]
        at_once(dns.put_record, many)
        eventually(records, frozenset(many))
        at_once(lambda record: dns.delete_record(record.name, record.type), many)
        eventually(records, frozenset())

    def test_threads_that_put_one_name_leave_what_one_of_them_put(
        self, dns: Dns, zone: str, eventually: Eventually
    ) -> None:
        wished = [evolve(sample_record(zone, "A"), values=(f"10.66.1.{number}",)) for number in range(1, THREADS)]
        at_once(dns.put_record, wished)
        eventually(lambda: len(dns.list_records()), 1)
        (found,) = dns.list_records()
        assert found in wished

    def test_the_records_of_others_are_not_listed(
        self, zone: str, stranger: Dns, records: Found, eventually: Eventually
    ) -> None:
        assert zone
        with _strangers(stranger) as theirs:
            eventually(lambda: _as_set(stranger), frozenset({theirs}))
            eventually(records, frozenset())

    def test_the_records_of_others_are_neither_replaced_nor_deleted(
        self, dns: Dns, zone: str, stranger: Dns, eventually: Eventually
    ) -> None:
        assert zone
        with _strangers(stranger) as theirs:
            assert_is_final(error_of(lambda: dns.put_record(evolve(theirs, values=("10.66.9.9",))), Conflict))
            try:
                dns.delete_record(theirs.name, theirs.type)
            except Conflict as refused:
                assert_is_final(refused)
            eventually(lambda: _as_set(stranger), frozenset({theirs}))

    def test_where_nothing_is_published_nothing_is_kept(self, dns: Dns, spec: ClusterSpec) -> None:
        _require_files(dns)
        dns.put_record(sample_record(spec.domain, "A"))
        assert dns.list_records() == ()
        dns.delete_record(f"host.{spec.domain}", "A")

    def test_where_nothing_is_published_every_machine_is_told_every_name(
        self, dns: Dns, contributor: NodeContributor, sample: SampleCluster, spec: ClusterSpec
    ) -> None:
        _require_files(dns)
        for context in sample.contexts():
            told = b"\n".join(file.data() for file in contributor.node_files(context).files).decode(errors="replace")
            for instance in spec.instances():
                assert spec.hostname(instance) in told, f"{context.instance.id} is not told {spec.hostname(instance)}"
                assert sample.addresses[instance.id] in told
            assert f"api.{spec.domain}" in told

    def test_where_nothing_is_published_a_new_address_reaches_every_machine(
        self, dns: Dns, contributor: NodeContributor, sample: SampleCluster
    ) -> None:
        _require_files(dns)
        moved = sample.with_address("worker/1", "10.66.0.99")
        for before, after in zip(sample.contexts(), moved.contexts(), strict=True):
            assert contributor.node_files(before).files != contributor.node_files(after).files


def sample_record(zone: str, type: str) -> Record:
    """A record such as clusters have."""
    samples = {
        "A": ("host", ("10.66.0.1", "10.66.0.2")),
        "AAAA": ("host6", ("2001:db8::1",)),
        "CNAME": ("alias", (f"host.{zone}",)),
        "TXT": ("text", ('v=1; Case kept, "quoted"',)),
        "SRV": ("_etcd-server._tcp", (f"0 10 2380 etcd-0.{zone}", f"0 10 2380 etcd-1.{zone}")),
        "PTR": ("pointer", (f"host.{zone}",)),
    }
    name, values = samples[type]
    return Record(name=f"{name}.{zone}", type=type, values=values)


def _as_set(dns: Dns) -> frozenset[Record]:
    return frozenset(dns.list_records())


@contextmanager
def _strangers(stranger: Dns) -> Iterator[Record]:
    """A record of somebody else's, while it lasts."""
    record = Record(name="host.beside-contract.kubo.internal", type="A", values=("10.66.8.8",))
    stranger.put_record(record)
    try:
        yield record
    finally:
        stranger.delete_record(record.name, record.type)


def _require_files(dns: Dns) -> None:
    if dns.info().publishes:
        pytest.skip("DnsInfo.publishes is True")
