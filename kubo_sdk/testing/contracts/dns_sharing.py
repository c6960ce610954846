"""What every DNS provider promises about a zone that it shares.  Part of `DnsContract`.

With threads, other connections, other processes, clusters that are easily taken for ours, and people.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from attrs import evolve

from kubo_sdk.errors import AuthError, Conflict
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.testing.contracts.contract import (
    assert_is_final,
    assert_is_one_sentence,
    at_once,
    at_once_through,
    error_of,
)
from kubo_sdk.testing.contracts.dns_site import (
    DnsSite,
    Eventually,
    ForeignRecord,
    Found,
    as_set,
    sample_record,
)
from kubo_sdk.testing.spawn import Spawnable
from kubo_sdk.testing.writers import put_from_processes

THREADS = 24
PROCESSES = 4


class DnsSharing(DnsSite):
    """Whose is whose, and everybody at once."""

    def test_another_process_finds_and_deletes_what_this_one_put(
        self, dns: Dns, reconnected: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:  # fmt: skip
        record = sample_record(zone, "A")
        dns.put_record(record)
        eventually(lambda: as_set(reconnected), frozenset({record}))
        reconnected.delete_record(record.name, record.type)
        eventually(records, frozenset())

    def test_many_records_are_put_and_deleted_at_once(
        self, dns: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        many = many_records(zone)
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

    def test_connections_and_clusters_that_write_at_once_lose_nothing_of_each_other(
        self, dns: Dns, reconnected: Dns, stranger: Dns, zone: str, eventually: Eventually
    ) -> None:
        ours, theirs = many_records(f"ours.{zone}"), many_records(f"theirs.{zone}")
        wished = [each for pair in zip(ours, theirs, strict=True) for each in pair]
        through = (dns, stranger, reconnected, stranger)
        try:
            at_once_through(through, _put, wished)
            eventually(lambda: as_set(dns), frozenset(ours))
            eventually(lambda: as_set(stranger), frozenset(theirs))
            at_once_through(through, _delete, wished)
            eventually(lambda: as_set(dns), frozenset())
            eventually(lambda: as_set(stranger), frozenset())
        finally:
            _clear(stranger)

    def test_processes_that_write_at_once_lose_nothing_of_each_other(
        self, zone: str, spec: ClusterSpec, spawnable: Spawnable, records: Found, eventually: Eventually
    ) -> None:
        parts = [many_records(f"process-{number}.{zone}") for number in range(PROCESSES)]
        put_from_processes(spawnable, spec, parts)
        eventually(records, frozenset(record for part in parts for record in part))

    def test_whoever_lists_while_others_write_sees_what_nobody_touches(
        self, dns: Dns, reconnected: Dns, zone: str, records: Found, eventually: Eventually
    ) -> None:
        still = frozenset(many_records(f"still.{zone}"))
        for record in still:
            dns.put_record(record)
        eventually(records, still)
        ended = threading.Event()

        def watch(connection: Dns) -> None:
            while not ended.is_set():
                missing = still - as_set(connection)
                assert not missing, f"{len(missing)} records were not listed while others were put"

        with ThreadPoolExecutor(2) as pool:
            watching = [pool.submit(watch, connection) for connection in (dns, reconnected)]
            try:
                for ttl in (60, 120):
                    at_once(dns.put_record, [evolve(each, ttl=ttl) for each in many_records(f"moving.{zone}")])
            finally:
                ended.set()
            for each in watching:
                each.result()

    def test_the_records_of_others_are_not_listed(
        self, dns: Dns, zone: str, other: Dns, records: Found, eventually: Eventually
    ) -> None:
        ours = sample_record(zone, "A")
        dns.put_record(ours)
        with _theirs(other, zone) as theirs:
            eventually(lambda: as_set(other), frozenset({theirs}))
            eventually(records, frozenset({ours}))

    def test_the_records_of_others_are_neither_replaced_nor_deleted(
        self, dns: Dns, zone: str, other: Dns, eventually: Eventually
    ) -> None:
        with _theirs(other, zone) as theirs:
            _assert_refused(dns, theirs)
            eventually(lambda: as_set(other), frozenset({theirs}))

    def test_the_records_of_people_are_neither_listed_nor_replaced_nor_deleted(
        self, dns: Dns, zone: str, made_by_hand: ForeignRecord, records: Found, eventually: Eventually
    ) -> None:
        before = made_by_hand.read()
        ours = sample_record(zone, "A")
        dns.put_record(ours)
        assert made_by_hand.read() == before, "it changed when a record of ours was put"
        eventually(records, frozenset({ours}))
        _assert_refused(dns, made_by_hand.record)
        dns.delete_record(ours.name, ours.type)
        eventually(records, frozenset())
        assert made_by_hand.read() == before

    def test_wrong_credentials_are_an_auth_error_and_not_worth_another_try(self, zone: str, locked_out: Dns) -> None:
        record = sample_record(zone, "A")
        for call in (locked_out.list_records, partial(locked_out.put_record, record)):
            error = error_of(call, AuthError)
            assert_is_final(error)
            assert_is_one_sentence(error)


def many_records(zone: str) -> list[Record]:
    """One for each thread."""
    record = sample_record(zone, "A")
    return [evolve(record, name=f"host-{n}.{zone}", values=(f"10.66.1.{n}",)) for n in range(1, THREADS)]


def _put(dns: Dns, record: Record) -> None:
    dns.put_record(record)


def _delete(dns: Dns, record: Record) -> None:
    dns.delete_record(record.name, record.type)


def _clear(dns: Dns) -> None:
    for record in dns.list_records():
        dns.delete_record(record.name, record.type)


def _assert_refused(dns: Dns, theirs: Record) -> None:
    """However its name is written, what is not ours is no place for ours, and is not deleted."""
    value = f"ours.{theirs.name}" if theirs.type in {"CNAME", "PTR"} else {"A": "10.66.9.9"}.get(theirs.type)
    for name in (theirs.name, theirs.name.upper()):
        wished = evolve(theirs, name=name, values=(value,) if value else theirs.values, ttl=theirs.ttl + 1)
        assert_is_final(error_of(partial(dns.put_record, wished), Conflict))
        try:
            dns.delete_record(name, theirs.type)
        except Conflict as refused:
            assert_is_final(refused)


@contextmanager
def _theirs(other: Dns, zone: str) -> Iterator[Record]:
    """A record of somebody else's below our own domain, while it lasts: no name says whose it is."""
    record = Record(name=f"theirs.{zone}", type="A", values=("10.66.8.8",))
    other.put_record(record)
    try:
        yield record
    finally:
        other.delete_record(record.name, record.type)
