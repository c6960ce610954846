"""What every DNS provider promises.

Subclass `DnsContract` and give it a fixture ``dns``, connected for the cluster of the fixture ``spec``
(`kubo_sdk.testing.node_contexts.sample_spec`), which must be nobody's real one: its records are deleted::

    class TestMyDns(DnsContract):
        @pytest.fixture
        def dns(self, spec: ClusterSpec) -> Dns:
            return MyDns(...)

What else can be given: fixtures ``stranger`` and ``namesake`` (the same provider connected for other clusters of the
zone), ``made_by_hand`` (a record that no provider made), ``reconnected``, ``spawnable``, ``locked_out``, ``clock``;
attributes ``record_types``, ``patience``.  What is not given is skipped with its name.
"""

from __future__ import annotations

import pytest

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.node import NodeContext, NodeContributor
from kubo_sdk.testing.contracts.dns_records import DnsRecords
from kubo_sdk.testing.contracts.dns_sharing import DnsSharing
from kubo_sdk.testing.contracts.dns_site import ForeignRecord, sample_record
from kubo_sdk.testing.node_contexts import SampleCluster

__all__ = ["DnsContract", "ForeignRecord"]


class DnsContract(DnsRecords, DnsSharing):
    """Records where ``info().publishes``; otherwise the names in the files of machines."""

    def test_where_nothing_is_published_nothing_is_kept(self, dns: Dns, spec: ClusterSpec) -> None:
        _require_files(dns)
        dns.put_record(sample_record(spec.domain, "A"))
        assert dns.list_records() == ()
        dns.delete_record(f"host.{spec.domain}", "A")

    def test_where_nothing_is_published_every_machine_is_told_every_name(
        self, dns: Dns, contributor: NodeContributor, sample: SampleCluster, spec: ClusterSpec
    ) -> None:
        _require_files(dns)
        for context in _told_all(dns, contributor, sample):
            told = _told(contributor, context)
            for instance in spec.instances():
                assert spec.hostname(instance) in told, f"{context.instance.id} is not told {spec.hostname(instance)}"
                assert sample.addresses[instance.id] in told
            assert f"api.{spec.domain}" in told

    def test_where_nothing_is_published_a_new_address_reaches_every_machine(
        self, dns: Dns, contributor: NodeContributor, sample: SampleCluster
    ) -> None:
        _require_files(dns)
        moved = sample.with_address("worker/1", "10.66.0.99")
        for before in _told_all(dns, contributor, sample):
            after = moved.context(before.instance)
            assert contributor.node_files(before).files != contributor.node_files(after).files

    def test_where_machines_answer_every_machine_is_told_who_does(
        self, dns: Dns, contributor: NodeContributor, sample: SampleCluster
    ) -> None:
        if not dns.info().on_machines:
            pytest.skip("DnsInfo.on_machines is False")
        servers = [context.address for context in _told_all(dns, contributor, sample)]
        assert servers, "no machine is told every name"
        for context in sample.contexts():
            told = _told(contributor, context)
            assert any(address in told for address in servers), f"{context.instance.id} is told of no server"


def _told_all(dns: Dns, contributor: NodeContributor, sample: SampleCluster) -> tuple[NodeContext, ...]:
    """The machines that must know every name: all of them, or those that answer."""
    if not dns.info().on_machines:
        return sample.contexts()
    names = [sample.spec.hostname(instance) for instance in sample.spec.instances()]
    return tuple(context for context in sample.contexts() if all(name in _told(contributor, context) for name in names))


def _told(contributor: NodeContributor, context: NodeContext) -> str:
    return b"\n".join(file.data() for file in contributor.node_files(context).files).decode(errors="replace")


def _require_files(dns: Dns) -> None:
    if dns.info().publishes:
        pytest.skip("DnsInfo.publishes is True")
