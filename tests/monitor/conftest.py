"""Clusters on fake clouds: the default nine machines over three zones, and a small one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized

from .ward import Ward

ZONES = ("z1", "z2", "z3")


@pytest.fixture
def admit(tmp_path: Path) -> Iterator[Callable[..., Ward]]:
    """``admit(instance_groups=…)``: a deployed cluster; by default nine machines over three zones."""
    clouds = []

    def admitted(**changes: Any) -> Ward:
        cloud = FakeCloud()
        clouds.append(cloud)
        spec = fake_spec(tmp_path / "release", **{"instance_groups": sized(azs=ZONES), **changes})
        ward = Ward(cloud=cloud, spec=spec, home=tmp_path)
        ward.cluster.deploy()
        ward.events.clear()
        return ward

    yield admitted
    for cloud in clouds:
        cloud.close()


@pytest.fixture
def ward(admit: Callable[..., Ward]) -> Ward:
    """The default nine machines, deployed over three zones."""
    return admit()
