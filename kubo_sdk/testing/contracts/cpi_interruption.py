"""What every CPI promises when the process that uses it is killed.  Part of `CpiContract`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kubo_sdk.testing.contracts.contract import not_offered
from kubo_sdk.testing.contracts.cpi_site import CpiSite, Site
from kubo_sdk.testing.spawn import Spawnable, count_moments, kill_at

Eventually = Callable[..., None]


class CpiInterruption(CpiSite):
    """A child process makes or deletes a machine and kills itself on the way; then everything goes on from there.

    ``killed_moments``: at how many moments of each call, spread over it.
    """

    killed_moments = 5

    @pytest.fixture
    def spawnable(self) -> Spawnable:
        """How another process connects to the same provider."""
        not_offered("spawnable", "says how another process connects to the provider")

    def test_a_creation_that_was_killed_goes_on_where_it_was(
        self, site: Site, spawnable: Spawnable, eventually: Eventually
    ) -> None:
        for moment in self._moments(site, spawnable, "create_vm"):
            kill_at(moment, spawnable, "create_vm", site.request())
            assert len(site.names()) <= 1
            made = site.running()
            eventually(site.ids, [made.id])
            site.cpi.delete_vm(made.id)
            eventually(site.ids, [])

    def test_what_a_killed_creation_left_can_be_deleted(
        self, site: Site, spawnable: Spawnable, eventually: Eventually
    ) -> None:
        for moment in self._moments(site, spawnable, "create_vm"):
            kill_at(moment, spawnable, "create_vm", site.request())
            site.clear()
            eventually(site.ids, [])
            site.cpi.prepare(site.cluster)
            assert site.names() == []

    def test_a_deletion_that_was_killed_can_be_repeated(
        self, site: Site, spawnable: Spawnable, eventually: Eventually
    ) -> None:
        site.create()
        for moment in self._moments(site, spawnable, "delete_vm"):
            made = site.running()
            kill_at(moment, spawnable, "delete_vm", site.request())
            site.cpi.delete_vm(made.id)
            eventually(site.ids, [])

    def _moments(self, site: Site, spawnable: Spawnable, method: str) -> Iterator[int]:
        """Moments spread over the call, whose length a first and whole one tells.  It leaves nothing."""
        whole = count_moments(spawnable, method, site.request())
        for vm in site.cpi.list_vms(site.cluster):
            site.cpi.delete_vm(vm.id)
        return (1 + whole * part // self.killed_moments for part in range(self.killed_moments))
