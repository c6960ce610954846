"""Fixtures: EC2 by the moto server behind the proxy, and the CPI connected to it as the core connects it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup, KubernetesSpec, Role
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.ssh import SshConnections
from kubo_sdk_libcloud.clouds.ec2.connect import connect as connect_ec2
from kubo_sdk_libcloud.config import LibcloudConfig
from kubo_sdk_libcloud.connect import assemble
from kubo_sdk_libcloud.cpi import LibcloudCpi

from .faulting_proxy import FaultingProxy, faulting_proxy
from .fleet import USER, Fleet, fleet_of
from .moto_server import ACCESS, REGION, SECRET, client, moto_server

MakeCpi = Callable[..., LibcloudCpi]

# Seconds; see `make_cpi`.
PATIENCE, SEEN_WITHIN = 8.0, 1.0


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a moto server that all tests share; each has a cluster of its own there."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as port:
        yield port


@pytest.fixture(scope="session")
def ec2(moto: int) -> Any:
    """A client of another make, past the proxy."""
    return client(moto)


@pytest.fixture
def proxy(moto: int) -> Iterator[FaultingProxy]:
    with faulting_proxy(moto) as made:
        yield made


@pytest.fixture(scope="session")
def image(ec2: Any) -> str:
    """An image that moto has."""
    found: str = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"][0]["ImageId"]
    return found


@pytest.fixture(scope="session")
def all_machines(ec2: Any) -> Iterator[Fleet]:
    with fleet_of(ec2) as made:
        yield made


@pytest.fixture
def fleet(all_machines: Fleet) -> Iterator[Fleet]:
    """The machines; whatever goes wrong with them ends with the test."""
    yield all_machines
    all_machines.calm()


def spec() -> ClusterSpec:
    """A cluster in the zones that moto has."""
    group = InstanceGroup(name="worker", role=Role.WORKER, instances=2, azs=("z1", "z2"))
    version = KubernetesVersion.parse("1.20.2")
    return ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=version), instance_groups=(group,))


@pytest.fixture
def options(proxy: FaultingProxy, fleet: Fleet, image: str, tmp_path: Path) -> dict[str, Any]:
    """What a spec says, with the secrets in files."""
    (tmp_path / "access").write_text(f"{ACCESS}\n")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "bastion.key").write_text(fleet.key)
    return {
        "driver": "ec2",
        "admin_cidrs": ["10.9.0.0/16"],
        "bastion": {
            "host": "127.0.0.1",
            "port": fleet.port,
            "user": USER,
            "key_file": "bastion.key",
            "host_key": fleet.host_key,
        },
        "poll_interval": 0.05,
        "boot_timeout": 20,
        "volume_timeout": 3,
        "ec2": {
            "image": image,
            "region": REGION,
            "host": "127.0.0.1",
            "port": proxy.port,
            "secure": False,
            "access_key": {"file": "access"},
            "secret_key": {"file": "secret"},
            "zones": {"z1": {"zone": "us-east-1a"}, "z2": {"zone": "us-east-1b"}},
        },
    }


def configured(options: dict[str, Any]) -> LibcloudConfig:
    config, problems = structure(LibcloudConfig, options, "cpi")
    if config is None or problems:
        raise ConfigError(problems)
    return config


@pytest.fixture
def context(tmp_path: Path) -> ConnectContext:
    return ConnectContext(spec=spec(), state_dir=tmp_path / "state", cache_dir=tmp_path / "cache", base_dir=tmp_path)


@pytest.fixture
def make_cpi(options: dict[str, Any], context: ConnectContext) -> Iterator[MakeCpi]:
    """Connects anew, as another process would.  ``ec2_options`` go into the section.

    The stand-in shows at once what it has made, so nothing is waited for that is not there; and what is turned down is
    asked again for no more than seconds.
    """
    opened: list[SshConnections] = []

    def make(ec2_options: dict[str, Any] | None = None, **more: Any) -> LibcloudCpi:
        merged = {**options, "ec2": {**options["ec2"], **(ec2_options or {})}, **more}
        config = configured(merged)
        assert config.ec2 is not None
        cloud = connect_ec2(config.ec2, context, patience=PATIENCE, seen_within=SEEN_WITHIN)
        opened.append(SshConnections())
        return assemble(config, context, cloud, opened[-1].shell, opened[-1].forget)

    yield make
    for connections in opened:
        connections.close()
