"""What every CPI promises.

Subclass `CpiContract` and give it a fixture ``cpi``::

    class TestMyCpi(CpiContract):
        @pytest.fixture
        def cpi(self) -> Cpi:
            return MyCpi(...)

Every test has a cluster of its own, director ``kubo-contract``, and removes it.  What else can be given: fixtures
``other_cpi``, ``reconnected``, ``spawnable``, ``secrets``, ``clock``, ``break_next``, ``lose_answer``,
``exhaust_quota``, ``throttle``, ``locked_out``, ``made_by_hand``; attributes ``azs``, ``vm_size``, ``boot_timeout``,
``patience``, ``concurrent_creates``, ``killed_moments``, ``runs_commands``.  What is not given is skipped with its
name.
A CPI that contributes files to machines passes `ContributionContract` as well.
"""

from __future__ import annotations

from kubo_sdk.testing.contracts.cpi_disks import DiskCpiContract
from kubo_sdk.testing.contracts.cpi_interruption import CpiInterruption
from kubo_sdk.testing.contracts.cpi_machines import CpiMachines
from kubo_sdk.testing.contracts.cpi_shell import CpiShell
from kubo_sdk.testing.contracts.cpi_trouble import CpiTrouble


class CpiContract(CpiMachines, CpiShell, DiskCpiContract, CpiTrouble, CpiInterruption):
    """Machines, the way onto them, their disks, and what is left when something goes wrong."""
