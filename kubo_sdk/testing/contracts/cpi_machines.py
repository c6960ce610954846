"""What every CPI promises about making, finding and removing machines.  Part of `CpiContract`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import KuboError, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import CPI_CONTRACT, Cpi, Vm, VmState
from kubo_sdk.testing.contracts.contract import (
    ReducedContract,
    assert_is_final,
    assert_is_one_sentence,
    at_once,
    at_once_through,
    error_of,
    require_flag,
)
from kubo_sdk.testing.contracts.cpi_site import TAGS, CpiSite, Site

FULL_MEASURE = 50
ABSENT = "kubo-contract-no-such-machine"

Eventually = Callable[..., None]


class CpiMachines(CpiSite):
    """Making, finding and removing."""

    def test_it_says_which_contract_it_keeps(self, cpi: Cpi) -> None:
        assert cpi.info().contract == CPI_CONTRACT
        assert cpi.info() == cpi.info()

    def test_preparing_twice_is_cheap_and_makes_no_machine(self, site: Site) -> None:
        site.cpi.prepare(site.cluster)
        assert site.names() == []

    def test_what_is_created_is_found_as_it_was_asked_for(self, site: Site, eventually: Eventually) -> None:
        made = site.running("worker/3")
        eventually(site.ids, [made.id])
        found = site.cpi.list_vms(site.cluster)[0]
        assert (found.cluster, found.instance, found.token) == (site.cluster, "worker/3", "worker-3")
        assert found.state is VmState.RUNNING
        assert found.disks == ()

    def test_tags_survive_a_reboot(self, site: Site) -> None:
        made = site.running()
        site.cpi.reboot_vm(made.id)
        site.await_boot(made)
        self._assert_tagged(site, site.cpi, made)

    def test_another_process_sees_the_same_machines_and_deletes_them(
        self, site: Site, reconnected: Cpi, eventually: Eventually
    ) -> None:
        made = site.running()
        eventually(lambda: [vm.id for vm in reconnected.list_vms(site.cluster)], [made.id])
        self._assert_tagged(site, reconnected, made)
        for cpi in (reconnected, site.cpi):
            cpi.delete_vm(made.id)
        eventually(site.ids, [])

    def _assert_tagged(self, site: Site, cpi: Cpi, made: Vm) -> None:
        (found,) = cpi.list_vms(site.cluster)
        assert found.id == made.id
        assert set(TAGS) <= set(found.tags), f"{set(TAGS) - set(found.tags)} got lost"
        assert (found.cluster, found.instance, found.token) == (site.cluster, "worker/0", "worker-0")

    def test_creating_again_with_the_same_token_returns_the_same_machine(
        self, site: Site, eventually: Eventually
    ) -> None:
        first = site.create()
        assert site.create().id == first.id
        site.await_boot(first)
        assert site.create().id == first.id
        eventually(site.ids, [first.id])

    def test_another_process_that_creates_with_the_same_token_gets_the_same_machine(
        self, site: Site, reconnected: Cpi, eventually: Eventually
    ) -> None:
        first = site.create()
        reconnected.prepare(site.cluster)
        assert reconnected.create_vm(site.request()).id == first.id
        eventually(site.ids, [first.id])

    def test_threads_that_create_with_the_same_token_get_the_same_machine(
        self, site: Site, eventually: Eventually
    ) -> None:
        made = at_once(lambda _: site.create(), range(8))
        assert len({vm.id for vm in made}) == 1
        eventually(site.ids, [made[0].id])

    def test_connections_that_create_with_the_same_token_get_the_same_machine(
        self, site: Site, reconnected: Cpi, eventually: Eventually
    ) -> None:
        made = at_once_through((site.cpi, reconnected), lambda cpi, _: cpi.create_vm(site.request()), range(8))
        assert len({vm.id for vm in made}) == 1
        eventually(site.ids, [made[0].id])

    def test_a_token_means_something_else_in_another_cluster(
        self, site: Site, beside: Site, eventually: Eventually
    ) -> None:
        ours, theirs = site.create(), beside.create()
        assert ours.id != theirs.id
        eventually(site.ids, [ours.id])
        eventually(beside.ids, [theirs.id])

    def test_a_cluster_finds_its_own_machines_only(self, site: Site, beside: Site, eventually: Eventually) -> None:
        ours = {site.create(name).id for name in ("worker/0", "etcd/0")}
        theirs = beside.create("worker/1")
        eventually(site.ids, sorted(ours))
        eventually(beside.ids, [theirs.id])
        beside.cpi.delete_vm(theirs.id)
        beside.cpi.dispose(beside.cluster)
        assert site.ids() == sorted(ours)

    def test_what_people_made_is_neither_listed_nor_touched(
        self, site: Site, made_by_hand: Callable[[], object], eventually: Eventually
    ) -> None:
        before = made_by_hand()
        made = site.create()
        eventually(site.ids, [made.id])
        site.cpi.delete_vm(made.id)
        eventually(site.ids, [])
        site.cpi.dispose(site.cluster)
        assert made_by_hand() == before

    def test_machines_have_ids_addresses_and_provider_ids_of_their_own(self, site: Site) -> None:
        made = [site.running(f"worker/{index}") for index in range(3)]
        for found in ([vm.id for vm in made], [vm.provider_id for vm in made], [vm.address for vm in made]):
            assert len(set(found)) == 3
            assert all(found)
        for vm in made:
            assert not IPv4Address(vm.address).is_unspecified

    def test_a_reboot_keeps_id_provider_id_address_and_everything_else(self, site: Site) -> None:
        before = site.running()
        site.cpi.reboot_vm(before.id)
        after = site.await_boot(before)
        assert (after.id, after.provider_id, after.address) == (before.id, before.provider_id, before.address)
        assert after == before

    def test_rebooting_what_is_absent_is_not_found(self, site: Site) -> None:
        assert_is_final(error_of(lambda: site.cpi.reboot_vm(ABSENT), NotFound))

    def test_deleting_takes_one_machine_and_no_neighbour(self, site: Site, eventually: Eventually) -> None:
        first, second = site.create("worker/0"), site.create("worker/1")
        site.cpi.delete_vm(first.id)
        eventually(site.ids, [second.id])

    def test_deleting_what_is_absent_succeeds(self, site: Site, eventually: Eventually) -> None:
        made = site.create()
        for _ in range(2):
            site.cpi.delete_vm(made.id)
        site.cpi.delete_vm(ABSENT)
        eventually(site.ids, [])

    def test_a_new_machine_is_not_taken_for_the_one_that_filled_its_slot(
        self, site: Site, eventually: Eventually
    ) -> None:
        old = site.running()
        site.cpi.delete_vm(old.id)
        eventually(site.ids, [])
        new = site.running()
        assert new.id != old.id
        assert new.provider_id != old.provider_id
        site.cpi.delete_vm(old.id)
        eventually(site.ids, [new.id])

    def test_a_zone_is_obeyed(self, site: Site, eventually: Eventually) -> None:
        require_flag(site.cpi.info(), "zones")
        made = {az: site.create(f"worker/{index}", az=az).id for index, az in enumerate(self.azs)}

        def zones() -> dict[str, str]:
            return {vm.az: vm.id for vm in site.cpi.list_vms(site.cluster)}

        eventually(zones, made)

    def test_many_machines_are_created_and_deleted_at_once(self, site: Site, eventually: Eventually) -> None:
        count = self.concurrent_creates
        if count < FULL_MEASURE:
            warnings.warn(ReducedContract(f"{count} machines at once, not {FULL_MEASURE}"), stacklevel=1)
        made = at_once(site.create, [f"worker/{index}" for index in range(count)])
        eventually(site.ids, sorted(vm.id for vm in made))
        booted = at_once(site.await_boot, made)
        assert len({vm.address for vm in booted}) == count
        at_once(site.cpi.delete_vm, [vm.id for vm in made])
        eventually(site.ids, [])

    def test_deleting_while_creating_leaves_something_that_can_be_created_again(
        self, site: Site, eventually: Eventually
    ) -> None:
        with ThreadPoolExecutor(1) as pool:
            making = pool.submit(site.create)

            def deleted_until_done() -> bool | None:
                for vm in site.cpi.list_vms(site.cluster):
                    site.cpi.delete_vm(vm.id)
                return making.done() or None

            wait_until(
                deleted_until_done,
                what="the end of create_vm",
                timeout=self.boot_timeout,
                interval=0.01,
                clock=site.clock,
            )
        error = making.exception()
        if error is not None:
            assert isinstance(error, KuboError), f"{type(error).__name__} is no error of kubo_sdk: {error}"
            assert_is_one_sentence(error)
        again = site.running()
        eventually(site.ids, [again.id])

    def test_disposing_leaves_nothing_and_the_cluster_can_be_made_again(
        self, site: Site, eventually: Eventually
    ) -> None:
        site.cpi.delete_vm(site.create().id)
        eventually(site.ids, [])
        site.cpi.dispose(site.cluster)
        site.cpi.dispose(site.cluster)
        assert site.ids() == []
        site.cpi.prepare(site.cluster)
        made: Vm = site.create()
        eventually(site.ids, [made.id])

    def test_disposing_of_what_was_never_made_succeeds(self, cpi: Cpi) -> None:
        nobody = ClusterId(director="kubo-contract", name="never-prepared")
        cpi.dispose(nobody)
        assert cpi.list_vms(nobody) == ()
