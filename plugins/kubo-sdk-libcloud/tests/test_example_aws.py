"""The example for AWS: its policy allows what is asked of AWS and no more, and its README tells the rules there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.config import load, structure
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cpi import DiskRequest, VmRequest
from kubo_sdk.ports.ingress import Backend, EndpointRequest, Health
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_libcloud.balancing.config import BalancingConfig
from kubo_sdk_libcloud.balancing.connect import connect as connect_balancing
from kubo_sdk_libcloud.balancing.ingress import BalancedIngress
from kubo_sdk_libcloud.config import LibcloudConfig
from kubo_sdk_libcloud.cpi import LibcloudCpi
from kubo_sdk_libcloud.firewall import rules

from .conftest import MakeCpi
from .faulting_proxy import FaultingProxy
from .moto_server import billed, client

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "aws"
# Where AWS calls the right by another name, or wants another one as well.
TAGGED = {"RunInstances", "CreateVolume", "CreateSecurityGroup"}


@pytest.fixture
def spec() -> ClusterSpec:
    return load(EXAMPLE / "cluster.yml")


@pytest.fixture
def balancing(
    spec: ClusterSpec, context: ConnectContext, options: dict[str, Any], make_cpi: MakeCpi, ec2: Any
) -> tuple[LibcloudCpi, Any]:
    """The CPI of the example and how its ingress is connected, both to the stand-in."""
    ours = evolve(context, spec=spec)
    api = {name: options["ec2"][name] for name in ("region", "host", "port", "secure", "access_key", "secret_key")}

    def ingress(ports: list[int]) -> BalancedIngress:
        section = {**api, "zones": ["us-east-1a"]}
        given = {**spec.ingress.options, "service_ports": ports, "ec2": section}
        config, problems = structure(BalancingConfig, given, "ingress")
        assert config is not None, problems
        made = connect_balancing(config, ours)
        assert isinstance(made, BalancedIngress)
        return made

    found = {each["AvailabilityZone"]: each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]}
    zones = zip(("z1", "z2", "z3"), sorted(found.items()), strict=False)
    cpi = make_cpi({"zones": {name: {"zone": zone, "subnet": subnet} for name, (zone, subnet) in zones}})
    wanted = evolve(cpi, rules=rules(spec, *_networks(spec)))
    return wanted, ingress


def _networks(spec: ClusterSpec) -> tuple[Any, Any]:
    config, _ = structure(LibcloudConfig, spec.cpi.options, "cpi")
    assert config is not None
    return config.admin_cidrs, config.client_cidrs


def live(spec: ClusterSpec, cpi: LibcloudCpi, ingress: Any) -> None:
    """The life of a cluster: all that the core asks of the CPI and the ingress."""
    cpi.prepare(spec.id)
    evolve(cpi, rules=cpi.rules[1:]).prepare(spec.id)
    cpi.prepare(spec.id)
    slots = {instance.id: instance for instance in spec.instances()}
    etcd, master = slots["etcd/0"], slots["master/0"]
    disk = cpi.create_disk(DiskRequest(cluster=spec.id, instance=etcd, token="etcd", size_mb=64))
    holder = cpi.create_vm(VmRequest(cluster=spec.id, instance=etcd, token="etcd", disks=(disk.id,)))
    front = cpi.create_vm(VmRequest(cluster=spec.id, instance=master, token="master"))
    cpi.reboot_vm(holder.id)
    cpi.detach_disk(holder.id, disk.id)
    members = tuple(Backend(instance=vm.instance, vm=vm.id, address=vm.address) for vm in (holder, front))
    services = EndpointRequest(name="services", ports=(30000, 32767), backends=members, health=Health.KUBE_PROXY)
    ingress([30080]).ensure_endpoint(services)
    ingress([30443]).ensure_endpoint(evolve(services, backends=members[:1]))
    ingress([30443]).delete_endpoint("services")
    for vm in cpi.list_vms(spec.id):
        cpi.delete_vm(vm.id)
    for each in cpi.list_disks(spec.id):
        cpi.delete_disk(each.id)
    cpi.dispose(spec.id)


def test_the_policy_allows_what_is_asked_of_aws_and_no_more(
    spec: ClusterSpec, balancing: tuple[LibcloudCpi, Any], proxy: FaultingProxy, ec2: Any, moto: int
) -> None:
    elb = client(moto, "elb")
    before = billed(ec2, elb)
    live(spec, *balancing)
    assert billed(ec2, elb) == before
    asked = {f"{service}:{action}" for service, action in proxy.actions}
    assert {f"ec2:{action}" for action in TAGGED} <= asked
    statements = json.loads((EXAMPLE / "iam-policy.json").read_text())["Statement"]
    allowed = {action for each in statements for action in _listed(each["Action"])}
    # Tags that come with what is made are a right of their own.
    assert allowed == asked | {"ec2:CreateTags", "elasticloadbalancing:AddTags"}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_what_may_be_changed_is_what_carries_our_tag() -> None:
    statements = {each["Sid"]: each for each in json.loads((EXAMPLE / "iam-policy.json").read_text())["Statement"]}
    assert statements["ChangeWhatIsTagged"]["Condition"] == {"StringLike": {"aws:ResourceTag/kubo-director": "*"}}
    made = statements["TagItWhileItIsMade"]["Condition"]["StringEquals"]["ec2:CreateAction"]
    assert set(made) == TAGGED == {each.removeprefix("ec2:") for each in statements["MakeWhatIsTagged"]["Action"]}
    everything = [sid for sid, each in statements.items() if each["Resource"] == "*"]
    assert everything == ["Look"]
    assert all(re.fullmatch(r"\w+:Describe\w+", action) for action in statements["Look"]["Action"])


def test_the_readme_tells_every_rule_there_is(spec: ClusterSpec) -> None:
    admins, clients = _networks(spec)
    words = {str(each): "admin_cidrs" for each in admins} | {str(each): "client_cidrs" for each in clients}
    wanted = {
        (str(rule.group), _range(rule.first, rule.last), rule.protocol, words.get(str(rule.source), str(rule.source)))
        for rule in rules(spec, admins, clients)
    }
    assert set(_told((EXAMPLE / "README.md").read_text())) == wanted


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _told(readme: str) -> list[tuple[str, str, str, str]]:
    rows = re.findall(r"^\| (machines|balancers) \| (.+) \| (.+) \|$", readme, re.MULTILINE)
    return [
        (group, port, protocol.lower(), source.strip("`"))
        for group, text, sources in rows
        for numbers, protocol in re.findall(r"(\d[\d, -]*) (TCP|UDP)", text)
        for port in numbers.split(", ")
        for source in sources.split(", ")
    ]
