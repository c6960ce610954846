"""What a spec says about service routes, and what a master gets for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.ingress import IngressInfo
from kubo_sdk.ports.node import Contribution, NodeFile
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.testing.node_contexts import SampleCluster, sample_spec
from kubo_sdk_cfrouting import paths
from kubo_sdk_cfrouting.agent import routes_settings
from kubo_sdk_cfrouting.agent import settings as settings_file
from kubo_sdk_cfrouting.ingress import CfRoutingIngress
from kubo_sdk_cfrouting.units import ROUTES_UNIT, UNIT

from .conftest import Connect
from .standin.site import Site

SECRET = "password-of-nats"


@pytest.fixture
def options(site: Site, tmp_path: Path) -> dict[str, Any]:
    """HTTP routes, with everything they can have."""
    (tmp_path / "nats-password").write_text(f"{SECRET}\n")
    site.authority.client(tmp_path / "nats.pem")
    nats = {
        "servers": ["10.0.0.4", "nats.internal:4333"],
        "user": "nats",
        "password": {"file": "nats-password"},
        "ca_file": str(site.ca_file),
        "certificate_file": "nats.pem",
        "key_file": "nats.pem",
        "server_name": "nats.service.cf.internal",
    }
    return {"app_domain": "apps.example.com", "nats": nats}


def master_of(ingress: CfRoutingIngress) -> Contribution:
    sample = SampleCluster.of(sample_spec(), OverlayInfo(), ingress=ingress.info())
    return ingress.node_files(sample.of_role(Role.MASTER))


def file_of(found: Contribution, path: str) -> NodeFile:
    return next(file for file in found.files if file.path == path)


def settings_of(found: Contribution, tmp_path: Path) -> settings_file.Settings:
    content = file_of(found, paths.SERVICES).content
    assert isinstance(content, str)
    (tmp_path / "services.json").write_text(content)
    return settings_file.load(str(tmp_path / "services.json"))


def test_the_agent_reads_what_the_director_writes(connected: Connect, options: dict[str, Any], tmp_path: Path) -> None:
    settings = settings_of(master_of(connected(**options)), tmp_path)
    assert settings.services is not None
    found = routes_settings.read(settings.services)
    assert found.domain == "apps.example.com"
    assert found.nats is not None
    assert found.nats.servers == (("10.0.0.4", 4224), ("nats.internal", 4333))
    assert (found.nats.username, found.nats.password) == ("nats", paths.NATS_PASSWORD)
    assert found.nats.trust == (paths.NATS_CA, paths.NATS_CERTIFICATE, paths.NATS_KEY)
    assert (found.nats.tls, found.nats.server_name) == (True, "nats.service.cf.internal")


def test_secrets_are_files_of_the_account_and_stand_nowhere_else(connected: Connect, options: dict[str, Any]) -> None:
    found = master_of(connected(**options))
    for path in (paths.NATS_PASSWORD, paths.NATS_KEY):
        file = file_of(found, path)
        assert isinstance(file.content, Secret)
        assert (file.mode, file.owner) == (0o600, "kubo-cfrouting")
    assert all(SECRET not in file.content for file in found.files if isinstance(file.content, str))


def test_each_unit_is_restarted_by_its_own_settings_only(connected: Connect, options: dict[str, Any]) -> None:
    api, routes = master_of(connected(**options)).units
    assert (api.name, routes.name) == (UNIT, ROUTES_UNIT)
    assert paths.SERVICES not in api.restart_on
    assert paths.NATS_PASSWORD not in api.restart_on
    assert paths.SETTINGS not in routes.restart_on
    assert {paths.AGENT, paths.SERVICES, paths.SECRET, paths.API_KEY, paths.NATS_PASSWORD} <= set(routes.restart_on)


def test_without_nats_there_are_tcp_routes_alone(connected: Connect, tmp_path: Path) -> None:
    settings = settings_of(master_of(connected()), tmp_path)
    assert settings.services == {}
    assert routes_settings.read(settings.services).nats is None


def test_without_service_routes_a_master_has_nothing_of_them(connected: Connect) -> None:
    ingress = connected(service_routes=False)
    found = master_of(ingress)
    assert [unit.name for unit in found.units] == [UNIT]
    assert paths.SERVICES not in {file.path for file in found.files}
    assert ingress.info().withdrawn_by == (UNIT,)


def test_both_units_take_back_what_they_registered(connected: Connect) -> None:
    info: IngressInfo = connected().info()
    assert info.withdrawn_by == (UNIT, ROUTES_UNIT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"servers": []}, "servers must name at least one server of NATS"),
        ({"servers": ["nats://x"]}, "servers: 'nats://x' must be a name or an address"),
        ({"servers": ["x:99999"]}, "servers: 'x:99999' must be a name or an address"),
        ({"user": ""}, "user and password belong together"),
        ({"key_file": None}, "certificate_file and key_file belong together"),
        ({"plain": True}, "are for TLS; leave them out, or leave out plain"),
        ({"password": {"file": "gone"}}, "gone"),
    ],
)
def test_options_of_nats_that_make_no_sense_are_told(
    connected: Connect, options: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    nats = {key: value for key, value in {**options["nats"], **change}.items() if value is not None}
    with pytest.raises(ConfigError, match="nats") as told:
        connected(app_domain="apps.example.com", nats=nats)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"app_domain": ""}, "app_domain and nats belong together"),
        ({"nats": None}, "app_domain and nats belong together"),
        ({"app_domain": "*.x"}, "app_domain '*.x' must be a domain"),
        ({"service_routes": False}, "nats is for the routes of services"),
    ],
)
def test_options_that_need_each_other_are_told(
    connected: Connect, options: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    chosen = {key: value for key, value in {**options, **change}.items() if value is not None}
    with pytest.raises(ConfigError) as told:
        connected(**chosen)
    assert said in str(told.value)


def test_the_rights_of_the_agents_are_no_more_than_they_need(connected: Connect) -> None:
    objects = {(each["kind"], json.dumps(each.get("rules"))) for each in connected().manifests()}
    text = str(objects)
    assert "*" not in text
    assert "secrets" not in text
    assert "delete" not in text
