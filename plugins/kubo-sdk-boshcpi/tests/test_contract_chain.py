"""A part of the suite every CPI passes, over the provider `bosh`, ``kubo-cpi`` and `local`: real machines of this host.

Each call is a process that loads the SDK, so only what the chain itself can get wrong is run here: machines, tags,
disks, three creations at once.  The whole suite runs over the stand-in (`test_contract_foreign`), killed processes
included, and over `local` alone in that plugin's tests.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk.testing.contracts.cpi import CpiContract

from .conftest import Chain

PART = {
    "test_tags_survive_a_reboot",
    "test_a_cluster_finds_its_own_machines_only",
    "test_deleting_what_is_absent_succeeds",
    "test_many_machines_are_created_and_deleted_at_once",
    "test_bytes_go_in_and_come_out_unchanged",
    "test_a_disk_outlives_its_machine_with_what_is_on_it",
    "test_a_disk_that_another_machine_has_is_a_conflict",
}
TESTS = {name for name in dir(CpiContract) if name.startswith("test_")}
# A name that is no test is passed over by pytest.
Rest = type("Rest", (), dict.fromkeys(TESTS - PART))


def test_every_name_of_the_part_is_a_test_of_the_suite() -> None:
    assert PART <= TESTS


class TestChain(Rest, CpiContract):  # type: ignore[misc, valid-type]
    concurrent_creates = 3

    @pytest.fixture
    def cpi(self, chain: Chain) -> DiskCpi:
        return chain.connect()

    @pytest.fixture
    def reconnected(self, chain: Chain) -> DiskCpi:
        return chain.connect()

    @pytest.fixture
    def other_cpi(self, chain: Chain) -> DiskCpi:
        """Clusters of `local` need a subnet each, so this is another settings file."""
        settings = json.loads(chain.settings.read_text())
        settings["options"]["subnet"] = "10.78.0.0/24"
        other = Path(chain.root, "other.json")
        other.write_text(json.dumps(settings))
        return chain.connect(arguments=[str(other)], shell_command=[chain.command, "shell", str(other), "{vm_cid}"])
