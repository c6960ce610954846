"""What the director checks before masters register, and the one sentence for each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config import structure
from kubo_sdk.errors import AuthError, ConfigError, Conflict, KuboError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import Role
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.testing.contracts.contract import assert_is_final
from kubo_sdk.testing.node_contexts import SampleCluster, sample_spec
from kubo_sdk_cfrouting import paths
from kubo_sdk_cfrouting.agent.claim import port_ranges
from kubo_sdk_cfrouting.agent.routing_api import TcpRoute
from kubo_sdk_cfrouting.config import CfRoutingConfig
from kubo_sdk_cfrouting.ingress import CfRoutingIngress

from .conftest import Connect
from .standin.authority import Authority
from .standin.site import Site

Ensure = Callable[..., Endpoint]


def sample_of(ingress: CfRoutingIngress) -> SampleCluster:
    return SampleCluster.of(sample_spec(), OverlayInfo(), ingress=ingress.info())


@pytest.fixture
def ensure(connected: Connect) -> Ensure:
    """``ensure(**options)``: what the endpoint of the API becomes."""

    def call(**options: Any) -> Endpoint:
        ingress = connected(**options)
        return ingress.ensure_endpoint(sample_of(ingress).endpoints()[0])

    return call


def assert_says(ensure: Callable[[], object], kind: type[KuboError], *words: str) -> KuboError:
    with pytest.raises(kind) as caught:
        ensure()
    assert type(caught.value) is kind
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_api_is_at_the_domain_and_the_external_port(ensure: Ensure) -> None:
    assert ensure(tcp_domain="tcp.example.com", external_port=1030) == Endpoint(
        name="api", host="tcp.example.com", port=1030
    )
    assert ensure().port == 8443


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"router_group": "nobody"}, NotFound, ("there is no router group nobody", "cf router-groups")),
        ({"router_group": "default-http"}, NotFound, ("of type http and not tcp", "choose a TCP router group")),
        ({"external_port": 1124}, ProviderError, ("port 1124", "1024-1123,8443,20000-40000", "choose one of them")),
        ({"client": "nobody"}, AuthError, ("refuses the client nobody: Bad credentials", "check its name and secret")),
    ],
)
def test_what_the_options_say_wrong_is_one_sentence(
    ensure: Ensure, options: dict[str, Any], kind: type[ProviderError], words: tuple[str, ...]
) -> None:
    error = assert_says(lambda: ensure(**options), kind, *words)
    assert isinstance(error, ProviderError)
    assert_is_final(error)


def test_of_two_groups_of_one_name_the_one_of_type_tcp_is_meant(site: Site, ensure: Ensure) -> None:
    site.api.add_group("both", "http", "")
    site.api.add_group("both", "tcp", "1030")
    assert ensure(router_group="both", external_port=1030).port == 1030


def test_a_port_of_somebody_else_is_a_conflict_and_one_of_our_own_machines_is_not(site: Site, ensure: Ensure) -> None:
    def save(address: str, owner: str) -> None:
        site.api.save(TcpRoute(site.group, 8443, address, 8443, owner).mapped())

    save("10.66.0.13", "an older registrar")  # the address of a master of the sample
    masters = {
        SampleCluster.of(sample_spec(), OverlayInfo()).addresses[each.id]
        for each in sample_spec().instances(Role.MASTER)
    }
    assert "10.66.0.13" in masters
    assert ensure().port == 8443
    save("10.9.9.9", "kubo:other/prod:master/0")
    words = ("leads to 10.9.9.9:8443 of 'kubo:other/prod:master/0' already", "choose another external_port")
    assert_says(ensure, Conflict, *words)


def test_a_missing_scope_is_told_by_name_and_costs_one_login(site: Site, ensure: Ensure) -> None:
    site.uaa.clients["kubo"].scopes = ("routing.routes.read",)
    missing = "routing.router_groups.read and routing.routes.write"
    assert_says(ensure, AuthError, "UnauthorizedError", f"its authorities lack {missing}; add them in the UAA")
    assert site.uaa.logins["kubo"] == 1


def test_who_is_away_may_be_asked_again(site: Site, ensure: Ensure) -> None:
    site.api.failing = [503]
    away = assert_says(ensure, Unavailable, "DBCommunicationError")
    assert isinstance(away, Unavailable)
    assert away.retry_after is not None
    site.stop_api()
    assert_says(ensure, Unavailable, "routing API https://127.0.0.1", "does not answer")
    site.uaa_server.stop()
    assert_says(ensure, Unavailable, "the UAA https://127.0.0.1", "does not answer")


def test_a_certificate_of_somebody_else_is_not_trusted(ensure: Ensure, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(Authority("somebody else").pem)
    assert_says(lambda: ensure(ca_file=str(other)), AuthError, "its certificate is not accepted", "ca_file")


def test_another_port_leaves_no_route_at_the_former_one(site: Site, connected: Connect) -> None:
    site.api.save(TcpRoute(site.group, 1030, "10.66.0.13", 8443, "kubo:kubo-contract/contract:master/0").mapped())
    site.api.save(TcpRoute(site.group, 1031, "10.66.0.14", 80, "kubo:kubo-contract/contract:service:a/b").mapped())
    ingress = connected()
    assert ingress.list_endpoints() == (Endpoint(name="api", host="127.0.0.1", port=1030),)
    ingress.delete_endpoint("api")
    assert site.api.routes() == []


def test_a_delete_repeats_every_field_that_tells_a_mapping_apart(site: Site, connected: Connect) -> None:
    mark = "kubo:kubo-contract/contract:master/0"
    for more in ({"backend_tls_port": -1}, {"backend_sni_hostname": "a.example"}, {"enable_backend_mtls": True}):
        site.api.save({**TcpRoute(site.group, 1030, "10.66.0.13", 8443, mark).mapped(), **more})
    connected().delete_endpoint("api")
    assert site.api.routes() == []


def test_the_secret_is_in_one_file_that_only_the_agent_reads(site: Site, connected: Connect) -> None:
    ingress = connected()
    files = ingress.node_files(sample_of(ingress).of_role(Role.MASTER)).files
    secret = site.uaa.clients["kubo"].secret.encode()
    found = [file for file in files if secret in file.data()]
    assert [(file.path, file.mode, file.owner) for file in found] == [(paths.SECRET, 0o600, "kubo-cfrouting")]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"routing_api": "http://api.example.com"}, "routing_api 'http://api.example.com' must be like https://"),
        ({"external_port": 70000}, "external_port must be a port"),
        ({"ttl": 3}, "ttl must be at least 9 seconds"),
        ({"certificate_file": "a.pem"}, "certificate_file and key_file belong together"),
        ({"tcp_domain": "a b"}, "tcp_domain 'a b' must be a name or an address"),
    ],
)
def test_wrong_options_are_told_before_anything_is_done(site: Site, more: dict[str, Any], words: str) -> None:
    config, problems = structure(CfRoutingConfig, site.options(**more), "ingress")
    assert config is None
    assert any(words in problem for problem in problems)


def test_a_secret_that_is_not_there_is_a_wrong_spec(connected: Connect, tmp_path: Path) -> None:
    assert_says(
        lambda: connected(client_secret={"file": str(tmp_path / "nothing")}), ConfigError, "ingress.client_secret"
    )


def test_ranges_of_ports_are_read_as_the_server_writes_them() -> None:
    assert port_ranges("1024-1123, 2000,x,3-y") == ((1024, 1123), (2000, 2000))
    assert port_ranges("") == ()
