"""The suite every CPI passes, over the provider `bosh`, ``kubo-cpi`` and `local`: real machines of this host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.spawn import Spawnable

from .conftest import CACHE, Chain


class TestChain(CpiContract):
    """Every call is a process that loads the SDK; so few machines are made at once."""

    concurrent_creates = 3

    @pytest.fixture
    def cpi(self, chain: Chain) -> DiskCpi:
        return chain.connect()

    @pytest.fixture
    def reconnected(self, chain: Chain) -> DiskCpi:
        return chain.connect()

    @pytest.fixture
    def spawnable(self, chain: Chain) -> Spawnable:
        return Spawnable(provider="bosh", options=chain.options, state_dir=chain.root / "sdk", cache_dir=CACHE)

    @pytest.fixture
    def other_cpi(self, chain: Chain) -> DiskCpi:
        """Clusters of `local` need a subnet each, so this is another settings file."""
        settings = json.loads(chain.settings.read_text())
        settings["options"]["subnet"] = "10.78.0.0/24"
        other = Path(chain.root, "other.json")
        other.write_text(json.dumps(settings))
        return chain.connect(arguments=[str(other)], shell_command=[chain.command, "shell", str(other), "{vm_cid}"])
