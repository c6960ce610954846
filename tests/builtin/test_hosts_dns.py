"""The hosts DNS: what /etc/hosts says on each machine, as the system's own resolver reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from attrs import evolve

from kubo_sdk.builtin import plugin
from kubo_sdk.builtin.hosts_dns import HOSTS, HostsDns
from kubo_sdk.model.release import Release
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.ports.node import NodeContext, NodeContributor

SPEC = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))


@pytest.fixture
def context() -> NodeContext:
    instances = SPEC.instances()
    return NodeContext(
        spec=SPEC,
        instance=instances[0],
        address="10.0.0.1",
        addresses={instance.id: f"10.0.0.{number}" for number, instance in enumerate(instances, 1)},
        node_name="10.0.0.1",
        provider_id="",
        api=Endpoint(name="api", host="10.0.0.9", port=8443),
        endpoints=(),
        release=Release(
            version=SPEC.kubernetes.version,
            source="directory",
            digest="d",
            tree=Path("/nowhere"),
            etcd_version="3.4.23",
            pause_image="pause",
        ),
        ca="",
        credentials={},
    )


def hosts(context: NodeContext) -> str:
    (file,) = HostsDns().node_files(context).files
    assert file.path == HOSTS
    return str(file.content)


def resolve(content: str, name: str, directory: Path) -> str:
    """What a machine with that hosts file answers for *name*; empty when it knows none."""
    path = directory / "hosts"
    path.write_text(content)
    command = ["unshare", "--mount", "sh", "-c", f"mount --bind {path} {HOSTS} && exec getent ahostsv4 {name}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split()[0] if found.stdout else ""


def test_every_machine_knows_every_instance_by_both_names_and_the_api(context, tmp_path) -> None:
    expected = {"localhost": "127.0.0.1", "api.demo.kubo.internal": "10.0.0.9"}
    for instance in SPEC.instances():
        expected |= dict.fromkeys(
            (instance.slug, f"{instance.slug}.demo.kubo.internal"), context.addresses[instance.id]
        )
    content = hosts(context)
    assert {name: resolve(content, name, tmp_path) for name in expected} == expected
    assert all(hosts(evolve(context, instance=instance)) == content for instance in SPEC.instances())


def test_what_has_no_address_yet_is_left_out(context, tmp_path) -> None:
    content = hosts(evolve(context, addresses={**context.addresses, "worker/0": ""}))
    assert resolve(content, "worker-0.demo.kubo.internal", tmp_path) == ""
    assert resolve(content, "worker-1.demo.kubo.internal", tmp_path) != ""


def test_an_api_that_has_a_name_only_is_left_to_its_own_dns(context) -> None:
    assert "api." not in hosts(evolve(context, api=Endpoint(name="api", host="lb-1.example.com", port=443)))


def test_nothing_is_published_and_nothing_kept() -> None:
    dns = HostsDns()
    dns.put_record(Record(name="a.demo.kubo.internal", type="A", values=("10.0.0.1",)))
    dns.delete_record("a.demo.kubo.internal", "A")
    assert not dns.info().publishes
    assert dns.list_records() == ()


def test_the_built_in_names_and_ingress_come_through_the_plugin(tmp_path) -> None:
    (dns,) = plugin.kubo_dns_providers()
    (ingress,) = plugin.kubo_ingress_providers()
    assert (dns.name, ingress.name) == ("hosts", "haproxy")
    for provider in (dns, ingress):
        assert isinstance(provider.connect(provider.config(), None), NodeContributor)


def test_one_object_writes_the_file_of_the_machines_there_are_now(context: NodeContext) -> None:
    dns = HostsDns()
    moved = evolve(context, addresses={**context.addresses, "worker/0": "10.0.0.77"})
    balanced = evolve(context, api=Endpoint(name="api", host="10.0.0.88", port=8443))
    renamed = evolve(context, spec=evolve(SPEC, name="other"))
    for each in (context, moved, context, balanced, renamed, moved, context):
        assert dns.node_files(each) == HostsDns().node_files(each)


def test_addresses_that_change_in_place_are_noticed(context: NodeContext) -> None:
    dns, addresses = HostsDns(), dict(context.addresses)
    here = evolve(context, addresses=addresses)
    dns.node_files(here)
    addresses["worker/0"] = "10.0.0.77"
    assert dns.node_files(here) == HostsDns().node_files(here)
