"""Suites that run without a test module: what is reported, what is noted, what cannot even begin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve, frozen

from kubo_sdk import hookimpl
from kubo_sdk.errors import ConfigError, PluginError
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.dns import DnsInfo, Record
from kubo_sdk.ports.providers import DnsProvider
from kubo_sdk.testing.fakes import FakeCloud
from kubo_sdk.testing.report import TestResult
from kubo_sdk.testing.run import run_suite
from kubo_sdk.testing.settings import SuiteSettings
from kubo_sdk.testing.subject import Subject


class OneRecordDns:
    """Remembers the last record only."""

    def __init__(self) -> None:
        self.records: tuple[Record, ...] = ()

    def info(self) -> DnsInfo:
        return DnsInfo()

    def list_records(self) -> tuple[Record, ...]:
        return self.records

    def put_record(self, record: Record) -> None:
        self.records = (record,)

    def delete_record(self, name: str, type: str) -> None:
        self.records = ()


@frozen(kw_only=True)
class Options:
    url: str = "https://dns.example"


class OneRecordPlugin:
    @hookimpl
    def kubo_dns_providers(self) -> tuple[DnsProvider, ...]:
        return (
            DnsProvider(
                name="one",
                summary="one record",
                config=Options,
                connect=lambda _config, _context: OneRecordDns(),
                capabilities=("publishes",),
            ),
        )


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return Subject(
        port="dns",
        provider="one",
        settings=SuiteSettings(one_process=True, patience=0.2),
        plugins=Plugins(OneRecordPlugin(), load_installed=False),
        state_dir=tmp_path,
        cache_dir=tmp_path,
        base_dir=tmp_path,
    )


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud(boot_seconds=0.0) as cloud:
        yield cloud


def test_every_test_is_told_as_it_ends_and_all_are_in_the_report(subject: Subject) -> None:
    told: list[TestResult] = []
    report = run_suite(subject, told.append)
    assert report.results == tuple(told)
    assert not report.passed
    assert {each.name.partition("[")[0] for each in report.failures()} == {
        "test_two_types_of_one_name_are_two_records",
        "test_deleting_takes_one_record_and_no_neighbour",
        "test_many_records_are_put_and_deleted_at_once",
        "test_an_alias_stands_beside_nothing_else",
    }
    assert report.count("passed") + report.count("failed") + report.count("skipped") == len(report.results)
    assert report.count("passed") > 10


def test_a_failure_says_what_was_found_and_a_skip_says_why(subject: Subject) -> None:
    report = run_suite(subject)
    found = {each.name: each for each in report.results}
    failed = found["test_two_types_of_one_name_are_two_records"]
    assert "assert frozenset({Re" in failed.reason
    assert "dns_records.py:" in failed.detail
    assert failed.sentence == "two types of one name are two records"
    skipped = found["test_the_records_of_others_are_not_listed[stranger]"]
    assert skipped.reason == "one_process is true: no other connection can see what this one made"
    assert found["test_where_nothing_is_published_nothing_is_kept"].reason == "DnsInfo.publishes is True"


def test_a_report_as_json_has_the_verdict_and_every_test(subject: Subject) -> None:
    report = run_suite(subject)
    told = report.to_json()
    assert (told["port"], told["provider"], told["result"]) == ("dns", "one", "failed")
    assert told["passed"] + told["failed"] + told["skipped"] == len(told["tests"])
    assert {test["outcome"] for test in told["tests"]} == {"passed", "failed", "skipped"}


def test_less_than_the_full_measure_is_noted(subject: Subject, cloud: FakeCloud) -> None:
    settings = SuiteSettings(one_process=True, runs_commands=False, concurrent_creates=3)
    plugins = Plugins(cloud.plugin(), load_installed=False)
    report = run_suite(evolve(subject, port="cpi", provider="fake", plugins=plugins, settings=settings))
    assert report.passed, report.failures()
    assert report.notes == ("3 machines at once, not 50",)


@pytest.mark.parametrize("port", ["credential_store", "dns", "overlay", "ingress", "cluster_dns"])
def test_every_port_has_a_suite_that_a_named_provider_can_pass(subject: Subject, cloud: FakeCloud, port: str) -> None:
    plugins = Plugins(cloud.plugin(), load_installed=False)
    report = run_suite(evolve(subject, port=port, provider="fake", plugins=plugins, settings=SuiteSettings()))
    assert report.passed, report.failures()
    assert report.notes == ()


def test_an_interrupted_suite_removes_what_it_made_and_says_so(subject: Subject) -> None:
    class Interrupted(OneRecordDns):
        def put_record(self, record: Record) -> None:
            super().put_record(record)
            raise KeyboardInterrupt

    dns = Interrupted()

    class Kept(OneRecordPlugin):
        @hookimpl
        def kubo_dns_providers(self) -> tuple[DnsProvider, ...]:
            return (evolve(super().kubo_dns_providers()[0], connect=lambda _config, _context: dns),)

    told: list[TestResult] = []
    with pytest.raises(KeyboardInterrupt):
        run_suite(evolve(subject, plugins=Plugins(Kept(), load_installed=False)), told.append)
    assert "test_putting_the_same_record_twice_leaves_one" not in [result.name for result in told]
    assert dns.records == ()


def test_wrong_options_and_unknown_providers_are_refused_before_anything_runs(subject: Subject) -> None:
    with pytest.raises(ConfigError, match="urll"):
        run_suite(evolve(subject, options={"urll": "https://dns.example"}))
    with pytest.raises(ConfigError, match="there is no DNS provider 'two'"):
        run_suite(evolve(subject, provider="two"))


def test_a_provider_that_is_not_what_its_record_says_is_refused(subject: Subject) -> None:
    class Boasting(OneRecordPlugin):
        @hookimpl
        def kubo_dns_providers(self) -> tuple[DnsProvider, ...]:
            return (evolve(super().kubo_dns_providers()[0], connect=lambda _config, _context: object()),)

    with pytest.raises(PluginError, match="without"):
        run_suite(evolve(subject, plugins=Plugins(Boasting(), load_installed=False)))
