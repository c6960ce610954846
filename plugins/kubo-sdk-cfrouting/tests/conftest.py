"""Fixtures: a stand-in for Cloud Foundry, and the ingress connected to it as the core connects it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.node_contexts import sample_spec
from kubo_sdk_cfrouting.config import CfRoutingConfig
from kubo_sdk_cfrouting.connect import connect
from kubo_sdk_cfrouting.ingress import CfRoutingIngress

from .routes_lab.fixtures import api_server, lab, nats_server  # noqa: F401
from .standin.site import Site

Connect = Callable[..., CfRoutingIngress]


def configured(options: dict[str, Any]) -> CfRoutingConfig:
    """Those options, read as the core reads them."""
    config, problems = structure(CfRoutingConfig, options, "ingress")
    if config is None:
        raise ConfigError(problems)
    return config


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A stand-in without a router, which the test may break."""
    site = Site(tmp_path)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def connected(site: Site, tmp_path: Path) -> Connect:
    """``connected(spec, **options)``: the ingress of a cluster."""

    def made(spec: ClusterSpec | None = None, **more: Any) -> CfRoutingIngress:
        context = ConnectContext(spec=spec or sample_spec(), state_dir=tmp_path, cache_dir=tmp_path, base_dir=tmp_path)
        return connect(configured(site.options(**more)), context)

    return made
