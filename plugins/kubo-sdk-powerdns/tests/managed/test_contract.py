"""The contract of DNS providers, in managed mode; and what each machine is told."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.ports.node import NodeContext
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.contracts.dns import DnsContract
from kubo_sdk.testing.node_contexts import SampleCluster, sample_spec
from kubo_sdk_powerdns.config import PowerdnsConfig
from kubo_sdk_powerdns.managed import connect, paths
from kubo_sdk_powerdns.managed.bundle import agent_archive
from kubo_sdk_powerdns.managed.dns import ManagedPowerdns
from kubo_sdk_powerdns.managed.records import records


def connected(config: PowerdnsConfig, spec: ClusterSpec) -> Dns:
    nowhere = Path("/nonexistent")
    return connect(config, ConnectContext(spec=spec, state_dir=nowhere, cache_dir=nowhere, base_dir=nowhere))


class TestManaged(DnsContract):
    @pytest.fixture(params=["alone", "with a recursor", "on workers"])
    def dns(self, spec: ClusterSpec, request: pytest.FixtureRequest) -> Dns:
        options: dict[str, Any] = {
            "alone": {},
            "with a recursor": {"forward": (IPv4Address("192.0.2.53"),)},
            "on workers": {"group": "worker"},
        }
        return connected(PowerdnsConfig(**options[request.param]), spec)

    @pytest.fixture
    def reconnected(self, dns: ManagedPowerdns) -> Dns:
        return ManagedPowerdns(dns.group, dns.forward, agent_archive)


@pytest.fixture
def plain(cluster: SampleCluster) -> ManagedPowerdns:
    return ManagedPowerdns("", (), agent_archive)


def content(dns: ManagedPowerdns, context: NodeContext, path: str) -> str:
    (found,) = (file.data().decode() for file in dns.node_files(context).files if file.path == path)
    return found


def test_a_new_machine_changes_nothing_but_the_machines_that_answer(
    cluster: SampleCluster, plain: ManagedPowerdns
) -> None:
    moved = cluster.with_address("worker/1", "127.77.1.5")
    changed = {
        before.instance.id
        for before, after in zip(cluster.contexts(), moved.contexts(), strict=True)
        if plain.node_files(before) != plain.node_files(after)
    }
    assert changed == {"proxy/0", "proxy/1", "worker/1"}


def test_on_the_machines_that_answer_a_new_machine_restarts_nothing(
    cluster: SampleCluster, plain: ManagedPowerdns
) -> None:
    proxy = cluster.of_role(Role.PROXY)
    before = plain.node_files(proxy)
    after = plain.node_files(cluster.with_address("worker/1", "127.77.1.5").context(proxy.instance))
    differ = {one.path for one, two in zip(before.files, after.files, strict=True) if one != two}
    assert differ == {paths.RECORDS}
    assert not any(differ & set(unit.restart_on) for unit in before.units)


def test_etcd_machines_know_each_other_without_any_server(cluster: SampleCluster, plain: ManagedPowerdns) -> None:
    hosts = content(plain, cluster.of_role(Role.ETCD), paths.HOSTS)
    for member in cluster.spec.instances(Role.ETCD):
        assert f"{cluster.addresses[member.id]} {cluster.spec.hostname(member)} {member.slug}\n" in hosts
    worker = content(plain, cluster.of_role(Role.WORKER), paths.HOSTS)
    assert cluster.addresses["worker/0"] in worker
    assert "etcd" not in worker


def test_every_machine_asks_all_servers_and_a_server_asks_itself_first(
    cluster: SampleCluster, plain: ManagedPowerdns
) -> None:
    servers = [cluster.addresses[f"proxy/{number}"] for number in (0, 1)]
    firsts = set()
    for context in cluster.contexts():
        text = content(plain, context, paths.RESOLV_CONF)
        asked = [line.split()[1] for line in text.splitlines() if line.startswith("nameserver")]
        assert sorted(asked) == servers
        assert f"search {cluster.spec.domain}\n" in text
        if context.instance.role is Role.PROXY:
            assert asked[0] == context.address
        firsts.add(asked[0])
    assert firsts == set(servers)


def test_a_load_balancer_with_a_name_is_what_the_api_name_is_another_name_for(cluster: SampleCluster) -> None:
    context = evolve(cluster.of_role(Role.PROXY), api=Endpoint(name="api", host="lb.example.com", port=6443))
    told = records(context, cluster.spec.instances(Role.PROXY))
    aliases = [rrset for rrset in told["zones"][0]["rrsets"] if rrset["type"] == "CNAME"]
    assert [(one["name"], one["contents"]) for one in aliases] == [(f"api.{cluster.spec.domain}.", ["lb.example.com."])]
    assert told["api"] is None


@pytest.mark.parametrize(("options", "word"), [({"group": "name-servers"}, "'name-servers'"), ({}, "no proxy")])
def test_a_spec_without_a_machine_for_the_server_is_refused_in_one_sentence(options: dict[str, str], word: str) -> None:
    spec = sample_spec()
    groups = tuple(group for group in spec.instance_groups if group.role is not Role.PROXY)
    with pytest.raises(ConfigError, match=word):
        connected(PowerdnsConfig(**options), evolve(spec, instance_groups=groups))


@pytest.mark.parametrize("address", ["127.0.0.53", "0.0.0.0", "224.0.0.1"])
def test_a_resolver_that_no_machine_can_ask_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no resolver that another machine could ask"):
        PowerdnsConfig(forward=(IPv4Address(address),))
