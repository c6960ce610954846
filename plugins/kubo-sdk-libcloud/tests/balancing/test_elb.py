"""Classic balancers of AWS on a real moto server: the ingress contract, and what is asked of AWS."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from attrs import evolve

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, NotFound, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.ingress import Backend, EndpointRequest, Health, Ingress
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.contracts.ingress import IngressContract
from kubo_sdk.testing.node_contexts import namesake_spec, sample_spec, stranger_spec
from kubo_sdk_libcloud.balancing.config import BalancingConfig, BalancingDriver, ElbConfig
from kubo_sdk_libcloud.balancing.connect import connect
from kubo_sdk_libcloud.balancing.elb import Elb
from kubo_sdk_libcloud.balancing.ingress import BalancedIngress
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.ec2.api import Api
from kubo_sdk_libcloud.clouds.ec2.groups import Groups
from kubo_sdk_libcloud.firewall import Group, Rule

NODE_PORTS = (30080, 30443)
RULES = tuple(
    Rule(group=group, protocol="tcp", first=8443, last=8443, source=IPv4Network("0.0.0.0/0")) for group in Group
)
SERVER = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""

Connect = Callable[[ClusterSpec], BalancedIngress]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where a moto server answers."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def account(port: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the API of an account answers that has nothing in it but what every account has."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    reset = urllib.request.Request(f"http://127.0.0.1:{port}/moto-api/reset", method="POST")

    def is_reset() -> bool:
        try:
            urllib.request.urlopen(reset).close()
        except OSError as error:
            raise Unavailable(str(error)) from None
        return True

    wait_until(is_reset, what="the moto server", timeout=60)
    return port


@pytest.fixture
def config(account: int) -> BalancingConfig:
    section = ElbConfig(zones=("us-east-1a", "us-east-1b"), host="127.0.0.1", port=account, secure=False)
    return BalancingConfig(driver=BalancingDriver.EC2, service_ports=NODE_PORTS, ec2=section)


@pytest.fixture
def connected(config: BalancingConfig, tmp_path: Path) -> Connect:
    """The ingress, connected for a cluster whose security groups the CPI has made."""

    def make(spec: ClusterSpec) -> BalancedIngress:
        context = ConnectContext(spec=spec, state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
        ingress = connect(config, context)
        groups_of(ingress).ensure(spec.id, RULES, tags.of_cluster(spec.id))
        return ingress

    return make


def elb_of(ingress: BalancedIngress) -> Elb:
    assert isinstance(ingress.balancers, Elb)
    return ingress.balancers


def groups_of(ingress: BalancedIngress) -> Groups:
    return elb_of(ingress).groups


def api_of(ingress: BalancedIngress) -> Api:
    return groups_of(ingress).api


def machines(api: Api, count: int) -> tuple[Backend, ...]:
    """So many machines of EC2, as the core knows them."""
    image = api.call("an image", "DescribeImages").findtext("imagesSet/item/imageId")
    made = api.call("machines", "RunInstances", {"ImageId": image, "MinCount": count, "MaxCount": count})
    found = made.findall("instancesSet/item")
    return tuple(
        Backend(
            instance=f"machine/{number}",
            vm=each.findtext("instanceId") or "",
            address=each.findtext("privateIpAddress") or "",
        )
        for number, each in enumerate(found)
    )


class TestElb(IngressContract):
    """The contract of every ingress."""

    @pytest.fixture
    def ingress(self, spec: ClusterSpec, connected: Connect) -> Ingress:
        return connected(spec)

    @pytest.fixture
    def reconnected(self, spec: ClusterSpec, connected: Connect) -> Ingress:
        return connected(spec)

    @pytest.fixture
    def stranger(self, connected: Connect) -> Ingress:
        return connected(stranger_spec())

    @pytest.fixture
    def namesake(self, connected: Connect) -> Ingress:
        return connected(namesake_spec())

    @pytest.fixture
    def requests(self, ingress: BalancedIngress) -> tuple[EndpointRequest, ...]:
        made = machines(api_of(ingress), 4)
        return (
            EndpointRequest(name="api", ports=(8443, 8443), backends=made[:2], health=Health.HTTPS_READYZ),
            EndpointRequest(name="services", ports=(30000, 32767), backends=made[2:], health=Health.KUBE_PROXY),
        )

    @pytest.fixture
    def backends_of(
        self, ingress: BalancedIngress, requests: tuple[EndpointRequest, ...]
    ) -> Callable[[str], frozenset[str]]:
        addresses = {backend.vm: backend.address for request in requests for backend in request.backends}

        def read(name: str) -> frozenset[str]:
            found = elb_of(ingress).find(ingress.name_of(name))
            assert found is not None
            return frozenset(addresses[member] for member in found.members)

        return read

    @pytest.fixture
    def made_by_hand(self, ingress: BalancedIngress) -> Callable[[], object]:
        elb, name = elb_of(ingress), "by-hand"
        elb.create(sample_spec().id, name, frozenset({80}), {"owner": "somebody"})
        return lambda: elb.find(name)


@pytest.fixture
def ingress(connected: Connect) -> BalancedIngress:
    return connected(sample_spec())


@pytest.fixture
def api(ingress: BalancedIngress) -> EndpointRequest:
    backends = machines(api_of(ingress), 2)
    return EndpointRequest(name="api", ports=(8443, 8443), backends=backends, health=Health.HTTPS_READYZ)


def test_the_api_is_asked_whether_it_is_ready_and_silent_watches_stay(
    ingress: BalancedIngress, api: EndpointRequest
) -> None:
    ingress.ensure_endpoint(api)
    elb, name = elb_of(ingress), ingress.name_of("api")
    found = elb.find(name)
    assert found is not None
    assert found.check is not None
    assert (found.check.target, found.ports) == ("HTTPS:8443/readyz", {8443})
    assert found.tags == {**tags.of_cluster(sample_spec().id), "kubo-endpoint": "api", "kubo-port": "8443"}
    assert elb.idle_timeout(name) == 3600


def test_only_the_named_node_ports_are_passed_on_and_kube_proxy_is_asked(
    ingress: BalancedIngress, api: EndpointRequest
) -> None:
    services = evolve(api, name="services", ports=(30000, 32767), health=Health.KUBE_PROXY)
    ingress.ensure_endpoint(services)
    found = elb_of(ingress).find(ingress.name_of("services"))
    assert found is not None
    assert found.check is not None
    assert (found.check.target, found.ports) == ("HTTP:10256/healthz", set(NODE_PORTS))


def test_changed_ports_change_the_listeners_of_the_balancer_there_is(
    ingress: BalancedIngress, connected: Connect, config: BalancingConfig, api: EndpointRequest, tmp_path: Path
) -> None:
    services = evolve(api, name="services", ports=(30000, 32767), health=Health.KUBE_PROXY)
    before = ingress.ensure_endpoint(services)
    context = ConnectContext(spec=sample_spec(), state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
    after = connect(evolve(config, service_ports=(30443, 31000)), context)
    assert after.ensure_endpoint(services) == before
    found = elb_of(after).find(after.name_of("services"))
    assert found is not None
    assert found.ports == {30443, 31000}


def test_without_node_ports_there_is_no_second_endpoint(config: BalancingConfig, tmp_path: Path) -> None:
    context = ConnectContext(spec=sample_spec(), state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
    assert not connect(evolve(config, service_ports=()), context).info().serves_node_ports
    assert connect(config, context).info().serves_node_ports


def test_a_port_that_is_no_node_port_is_refused(config: BalancingConfig, api: EndpointRequest, tmp_path: Path) -> None:
    context = ConnectContext(spec=sample_spec(), state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
    wrong = connect(evolve(config, service_ports=(80,)), context)
    with pytest.raises(NotFound, match="service_ports has 80, which is no node port from 30000 to 32767"):
        wrong.ensure_endpoint(evolve(api, name="services", ports=(30000, 32767)))


def test_a_balancer_of_our_name_that_is_not_ours_is_refused_and_stays(
    ingress: BalancedIngress, api: EndpointRequest
) -> None:
    elb, name = elb_of(ingress), ingress.name_of("api")
    elb.create(sample_spec().id, name, frozenset({80}), {"owner": "somebody"})
    with pytest.raises(Conflict, match="has not the tags of cluster"):
        ingress.ensure_endpoint(api)
    ingress.delete_endpoint("api")
    assert ingress.list_endpoints() == ()
    assert elb.find(name) is not None


def test_without_the_security_group_of_the_cpi_nothing_is_made(
    config: BalancingConfig, api: EndpointRequest, tmp_path: Path
) -> None:
    context = ConnectContext(spec=stranger_spec(), state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
    ingress = connect(config, context)
    with pytest.raises(NotFound, match="has no security group for its balancers; deploy the cluster"):
        ingress.ensure_endpoint(api)
    assert ingress.list_endpoints() == ()


def test_a_server_that_does_not_answer_is_told_as_such(config: BalancingConfig, tmp_path: Path) -> None:
    assert config.ec2 is not None
    context = ConnectContext(spec=sample_spec(), state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
    ingress = connect(evolve(config, ec2=evolve(config.ec2, port=1)), context)
    with pytest.raises(Unavailable, match=r"ELB in us-east-1: DescribeLoadBalancers .* got no answer"):
        ingress.list_endpoints()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ec2": None}, "the section ec2 is missing"),
        ({"service_ports": (0,)}, "0 is no port"),
        ({"service_ports": (30080, 30080)}, "different ports"),
        ({"service_ports": tuple(range(30000, 30101))}, "at most 100"),
        ({"idle_timeout": 0}, "idle_timeout"),
    ],
)
def test_options_that_cannot_work_are_refused(config: BalancingConfig, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        evolve(config, **changes)


def test_a_balancer_is_either_in_subnets_or_in_zones() -> None:
    for both in ({}, {"subnets": ("subnet-1",), "zones": ("us-east-1a",)}):
        with pytest.raises(ValueError, match="exactly one of subnets"):
            ElbConfig(**both)


def test_no_secret_shows_where_the_connection_is_printed(ingress: BalancedIngress) -> None:
    assert Secret("secret").reveal() not in f"{ingress!r} {elb_of(ingress)!r} {ingress.balancers!r}"
