"""What every DNS provider promises about the records of its own cluster.  Part of `DnsContract`."""

from __future__ import annotations

from functools import partial

import pytest
from attrs import evolve

from kubo_sdk.errors import Conflict
from kubo_sdk.ports.dns import RECORD_TYPES, Dns
from kubo_sdk.testing.contracts.contract import assert_is_final, error_of
from kubo_sdk.testing.contracts.dns_site import DnsSite, Eventually, Found, sample_record

# 255 bytes are what one string of a TXT record holds; a character may lie across that border.
LONG_TEXTS = ("x" * 600, 'Zürich, Łódź, Αθήνα, 東京 🌍; \\100% "so"', "x" * 254 + "ü€🌍" * 120)


class DnsRecords(DnsSite):
    """Putting, listing and deleting."""

    def test_it_says_which_contract_it_keeps(self, dns: Dns) -> None:
        assert dns.info().contract == 1
        assert dns.info() == dns.info()

    def test_a_zone_without_records_of_ours_lists_none(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        assert zone
        eventually(records, frozenset())
        assert isinstance(dns.list_records(), tuple)

    @pytest.mark.parametrize("type", RECORD_TYPES)
    def test_a_record_of_every_type_is_listed_as_it_was_put(
        self, dns: Dns, zone: str, type: str, records: Found, eventually: Eventually
    ) -> None:
        self.require_type(type)
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
        self.require_type("TXT")
        address, text = sample_record(zone, "A"), evolve(sample_record(zone, "TXT"), name=f"host.{zone}")
        dns.put_record(address)
        dns.put_record(text)
        eventually(records, frozenset({address, text}))
        dns.delete_record(address.name, "A")
        eventually(records, frozenset({text}))

    @pytest.mark.parametrize("text", LONG_TEXTS, ids=["long", "of many languages", "long and of many languages"])
    def test_a_text_may_be_long_and_in_any_language(
        self, dns: Dns, zone: str, text: str, records: Found, eventually: Eventually
    ) -> None:
        self.require_type("TXT")
        record = evolve(sample_record(zone, "TXT"), values=(text,))
        dns.put_record(record)
        eventually(records, frozenset({record}))

    def test_an_alias_stands_beside_nothing_else(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        self.require_type("CNAME")
        address, alias = sample_record(zone, "A"), sample_record(zone, "CNAME")
        beside = evolve(alias, name=address.name, values=(f"elsewhere.{zone}",)), evolve(address, name=alias.name)
        for record in (address, alias):
            dns.put_record(record)
        for record in beside:
            assert_is_final(error_of(partial(dns.put_record, record), Conflict))
        eventually(records, frozenset({address, alias}))

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
