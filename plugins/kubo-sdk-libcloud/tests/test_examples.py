"""The examples of clouds: their options are what the plugin takes, and their plan is that of a new cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kubo_sdk import Cluster, Plugins
from kubo_sdk.config import load, structure
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.fakes import FakeCloud, fake_spec
from kubo_sdk_libcloud.config import LibcloudConfig
from kubo_sdk_libcloud.connect import cloud_of
from kubo_sdk_libcloud.firewall import SSH, rules

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SECRETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_CLIENT_SECRET",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "VSPHERE_PASSWORD",
)
DISKS = {"aws": 3, "azure": 3, "openstack": 3, "gcp": 3, "vsphere": 0}


def options(name: str) -> tuple[Any, LibcloudConfig]:
    spec = load(EXAMPLES / name / "cluster.yml")
    config, problems = structure(LibcloudConfig, spec.cpi.options, "cpi")
    assert problems == ()
    assert config is not None
    return spec, config


@pytest.mark.parametrize("name", DISKS)
def test_the_options_make_a_cloud_with_zones_and_with_disks_where_it_has_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, config = options(name)
    for variable in SECRETS:
        monkeypatch.setenv(variable, "made up")
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"client_email": "kubo@kubo-example.iam.gserviceaccount.com", "private_key": private.decode()}
    (tmp_path / "service-account.json").write_text(json.dumps(account))
    context = ConnectContext(spec=spec, state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
    can = cloud_of(config, context).abilities()
    assert (can.volumes, can.zones) == (DISKS[name] > 0, True)
    outside = {rule.source for rule in rules(spec, config.admin_cidrs, config.client_cidrs) if rule.first == SSH}
    assert outside == set(config.admin_cidrs)


@pytest.mark.parametrize("name", DISKS)
def test_the_example_is_planned_against_the_fake_cloud(name: str, tmp_path: Path) -> None:
    spec, _ = options(name)
    with FakeCloud(stock_images=True) as cloud:
        fakes = fake_spec(tmp_path / "release")
        planned = evolve(
            fakes, name=spec.name, instance_groups=spec.instance_groups, network=spec.network, update=spec.update
        )
        places = {"state_dir": tmp_path / "state", "cache_dir": tmp_path / "cache"}
        plugins = Plugins(cloud.plugin(), load_installed=False)
        cluster = Cluster(planned, plugins=plugins, clock=cloud.clock, **places)
        verbs = [str(step.verb) for step in cluster.plan().steps]
    assert verbs.count("create vm") == verbs.count("prepare") == len(list(spec.instances()))
    assert verbs.count("create disk") == DISKS[name]
