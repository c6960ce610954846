"""CPIs that break one promise each, and the test that must notice."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from kubo_sdk.errors import Conflict, KuboError, NotFound, ProviderError, QuotaExceeded
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Disk, Vm, VmRequest
from kubo_sdk.testing.fakes import FakeCloud
from kubo_sdk.testing.fakes.cpi import FakeCpi

from .fake_suites import CLOUD_KEY, PEOPLE


class MutantCpi(FakeCpi):
    """A fake CPI, with its cloud at hand for what it does wrong."""

    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(cloud)
        self.cloud = cloud


class MakesAnotherMachineEachTime(MutantCpi):
    numbers = itertools.count()

    def create_vm(self, request: VmRequest) -> Vm:
        return super().create_vm(evolve(request, token=f"{request.token}-{next(self.numbers)}"))


class MakesOneForEveryThread(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        thread = threading.get_ident()
        return evolve(super().create_vm(evolve(request, token=f"{request.token} {thread}")), token=request.token)


class TakesTheTokenOfAnotherCluster(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        for machine in tuple(self.cloud.machines_by_id.values()):
            if machine.token == request.token:
                return machine.vm
        return super().create_vm(request)


class LeavesWhatItHalfMade(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        try:
            return super().create_vm(request)
        except KuboError:
            self.cloud.create(evolve(request, token="half-made", disks=()))
            raise


class KeepsADiskOfWhatItCouldNotMake(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        try:
            return super().create_vm(request)
        except KuboError:
            for disk in request.disks:
                if disk in self.cloud.disks_by_id:
                    self.cloud.disks_by_id[disk].attached_to = "nobody"
            raise


class SwallowsTheConflict(MutantCpi):
    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        try:
            super().attach_disk(vm_id, disk_id)
        except Conflict:
            return


class ForgetsATag(MutantCpi):
    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(evolve(vm, tags=vm.tags[:-1]) for vm in super().list_vms(cluster))


class LeaksDisks(MutantCpi):
    def delete_disk(self, disk_id: str) -> None:
        """Says that it did."""


class DestroysDisksWithTheirMachine(MutantCpi):
    def delete_vm(self, vm_id: str) -> None:
        super().delete_vm(vm_id)
        for disk in [disk.id for disk in self.cloud.disks_by_id.values() if disk.attached_to is None]:
            del self.cloud.disks_by_id[disk]


class AsksAgainWhenThereIsNoRoom(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        try:
            return super().create_vm(request)
        except QuotaExceeded as error:
            raise QuotaExceeded(str(error), retry_after=5.0) from error


class GivesUpWhenItIsThrottled(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        try:
            return super().create_vm(request)
        except ProviderError as error:
            error.retry_after = None
            raise


class ListsTheMachinesOfOthers(MutantCpi):
    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(machine.vm for machine in self.cloud.machines_by_id.values())


class IgnoresTheZone(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        return super().create_vm(evolve(request, instance=evolve(request.instance, az="z1")))


class FailsToDeleteWhatIsAbsent(MutantCpi):
    def delete_vm(self, vm_id: str) -> None:
        if vm_id not in self.cloud.machines_by_id:
            raise NotFound(f"there is no machine {vm_id}")
        super().delete_vm(vm_id)


class ShowsItsKey(MutantCpi):
    def reboot_vm(self, vm_id: str) -> None:
        if vm_id not in self.cloud.machines_by_id:
            raise NotFound(f"GET /machines/{vm_id}?key={CLOUD_KEY} gave 404")
        super().reboot_vm(vm_id)


class LetsStrangeErrorsOut(MutantCpi):
    def reboot_vm(self, vm_id: str) -> None:
        if vm_id not in self.cloud.machines_by_id:
            raise LookupError(vm_id)
        super().reboot_vm(vm_id)


class GivesAnotherProviderIdAfterAReboot(MutantCpi):
    boots = 0

    def reboot_vm(self, vm_id: str) -> None:
        super().reboot_vm(vm_id)
        type(self).boots += 1

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(evolve(vm, provider_id=f"{vm.provider_id}/{self.boots}") for vm in super().list_vms(cluster))


class KnowsOnlyWhatItMadeItself(MutantCpi):
    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(cloud)
        self.made: set[str] = set()

    def create_vm(self, request: VmRequest) -> Vm:
        vm = super().create_vm(request)
        self.made.add(vm.id)
        return vm

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(vm for vm in super().list_vms(cluster) if vm.id in self.made)


class ForgetsTheDirector(MutantCpi):
    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        found = tuple(self.cloud.machines_by_id.values())
        return tuple(machine.vm for machine in found if machine.cluster.name == cluster.name)


class ListsMachinesOfWhatBeginsAlike(MutantCpi):
    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        found = tuple(self.cloud.machines_by_id.values())
        return tuple(machine.vm for machine in found if str(machine.cluster).startswith(str(cluster)))


class ListsDisksOfWhatBeginsAlike(MutantCpi):
    def list_disks(self, cluster: ClusterId) -> tuple[Disk, ...]:
        clusters = {disk.cluster for disk in tuple(self.cloud.disks_by_id.values())}
        alike = [each for each in clusters if str(each).startswith(str(cluster))]
        return tuple(disk for each in alike for disk in super(MutantCpi, self).list_disks(each))


class MakesOneForEveryConnection(MutantCpi):
    def create_vm(self, request: VmRequest) -> Vm:
        return evolve(super().create_vm(evolve(request, token=f"{request.token} {id(self)}")), token=request.token)


class ListsWhatPeopleMade(MutantCpi):
    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return (*super().list_vms(cluster), *(machine.vm for machine in self.cloud.visible(PEOPLE)))


class DisposesOfWhatPeopleMade(MutantCpi):
    def dispose(self, cluster: ClusterId) -> None:
        super().dispose(cluster)
        for machine in self.cloud.visible(PEOPLE):
            self.cloud.forget(machine)


CPI_MUTANTS: Mapping[type[Any], str] = {
    MakesAnotherMachineEachTime: "test_creating_again_with_the_same_token_returns_the_same_machine",
    MakesOneForEveryThread: "test_threads_that_create_with_the_same_token_get_the_same_machine",
    TakesTheTokenOfAnotherCluster: "test_a_token_means_something_else_in_another_cluster",
    LeavesWhatItHalfMade: "test_a_creation_that_fails_half_way_leaves_nothing",
    KeepsADiskOfWhatItCouldNotMake: "test_a_creation_with_a_disk_that_fails_half_way_leaves_the_disk_free",
    SwallowsTheConflict: "test_a_disk_that_another_machine_has_is_a_conflict",
    ForgetsATag: "test_tags_survive_a_reboot",
    LeaksDisks: "test_deleting_a_disk_takes_no_neighbour_and_what_is_absent_is_no_trouble",
    DestroysDisksWithTheirMachine: "test_a_disk_outlives_its_machine_with_what_is_on_it",
    AsksAgainWhenThereIsNoRoom: "test_no_room_is_quota_exceeded_and_not_worth_another_try",
    GivesUpWhenItIsThrottled: "test_a_call_too_many_is_told_when_to_come_back",
    ListsTheMachinesOfOthers: "test_a_cluster_finds_its_own_machines_only",
    IgnoresTheZone: "test_a_zone_is_obeyed",
    FailsToDeleteWhatIsAbsent: "test_deleting_what_is_absent_succeeds",
    ShowsItsKey: "test_nothing_it_shows_raises_or_logs_holds_a_secret",
    LetsStrangeErrorsOut: "test_rebooting_what_is_absent_is_not_found",
    GivesAnotherProviderIdAfterAReboot: "test_a_reboot_keeps_id_provider_id_address_and_everything_else",
    KnowsOnlyWhatItMadeItself: "test_another_process_sees_the_same_machines_and_deletes_them",
    ForgetsTheDirector: "test_a_cluster_finds_its_own_machines_only",
    ListsMachinesOfWhatBeginsAlike: "test_a_cluster_finds_its_own_machines_only",
    ListsDisksOfWhatBeginsAlike: "test_a_cluster_finds_its_own_disks_only",
    MakesOneForEveryConnection: "test_connections_that_create_with_the_same_token_get_the_same_machine",
    ListsWhatPeopleMade: "test_what_people_made_is_neither_listed_nor_touched",
    DisposesOfWhatPeopleMade: "test_what_people_made_is_neither_listed_nor_touched",
}
