"""Two who want the same machine never both get it, and two who fill the same slot end with the same machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubo_sdk.errors import ProviderError, QuotaExceeded
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Vm, VmRequest
from kubo_sdk.testing.contracts.contract import at_once
from kubo_sdk_static.claims import Claim, machine_of
from kubo_sdk_static.cpi import StaticCpi

from .lab import RACKS, Lab, request

NAMES = ("m0", "m1", "m2", "m3")
OTHER = ClusterId(director="another", name="racks")


@pytest.fixture
def cpis(lab: Lab) -> Iterator[tuple[StaticCpi, StaticCpi]]:
    file = lab.file(NAMES, path="races.yml")
    made = (lab.cpi(file), lab.cpi(file))
    yield made
    for cluster in (RACKS, OTHER):
        for vm in made[0].list_vms(cluster):
            made[0].delete_vm(vm.id)


def test_two_directors_who_want_all_machines_never_get_the_same_one(cpis: tuple[StaticCpi, StaticCpi]) -> None:
    wishes = [
        (cpi, request(f"w/{n}", cluster)) for n in range(4) for cpi, cluster in zip(cpis, (RACKS, OTHER), strict=True)
    ]

    def ask(wish: tuple[StaticCpi, VmRequest]) -> Vm | ProviderError:
        try:
            return wish[0].create_vm(wish[1])
        except ProviderError as error:
            return error

    answers = at_once(ask, wishes)
    made = [vm for vm in answers if isinstance(vm, Vm)]
    refused = [error for error in answers if isinstance(error, ProviderError)]
    assert sorted(machine_of(vm.id) for vm in made) == list(NAMES)
    assert len(refused) == 4
    assert all(isinstance(error, QuotaExceeded) for error in refused), refused
    listed = [vm.id for cluster in (RACKS, OTHER) for vm in cpis[0].list_vms(cluster)]
    assert sorted(listed) == sorted(vm.id for vm in made)


def half_made(cpi: StaticCpi, name: str, serial: str) -> Claim:
    """A claim whose maker was killed right after it."""
    machine = cpi.file.find(name)
    assert machine is not None
    made = Claim(
        id=f"{name}.{serial}",
        machine=name,
        cluster=RACKS,
        instance="worker/0",
        token="worker-0",
        az="z1",
        address=str(machine.address),
        at="2026-01-01T00:00:00Z",
        by="somebody who was killed",
    )
    assert cpi.claiming.claim(machine, made).claim == made
    return made


def test_a_half_made_claim_is_listed_completed_and_deleted(cpis: tuple[StaticCpi, StaticCpi]) -> None:
    half = half_made(cpis[0], "m1", "abc")
    assert [(vm.id, str(vm.state)) for vm in cpis[1].list_vms(RACKS)] == [(half.id, "starting")]
    assert cpis[1].create_vm(request("worker/0")).id == half.id
    assert [str(vm.state) for vm in cpis[1].list_vms(RACKS)] == ["running"]
    cpis[0].delete_vm(half.id)
    half_made(cpis[0], "m1", "def")
    cpis[1].delete_vm("m1.def")
    assert cpis[1].list_vms(RACKS) == ()


def test_of_two_claims_for_one_slot_one_is_left(cpis: tuple[StaticCpi, StaticCpi], lab: Lab) -> None:
    halves = [half_made(cpis[0], name, "abc") for name in NAMES[:3]]
    made = {vm.id for vm in at_once(lambda cpi: cpi.create_vm(request("worker/0")), [*cpis, *cpis])}
    assert made == {halves[0].id}
    assert [vm.id for vm in cpis[1].list_vms(RACKS)] == [halves[0].id]


def test_a_claim_that_is_settled_beats_one_that_is_not(cpis: tuple[StaticCpi, StaticCpi]) -> None:
    settled, late = half_made(cpis[0], "m3", "zzz"), half_made(cpis[0], "m0", "aaa")
    machine = cpis[0].roll.machine(settled)
    assert cpis[0].claiming.settle(machine, settled, ())
    assert cpis[1].create_vm(request("worker/0")).id == settled.id
    assert not cpis[1].claiming.release(machine, settled.id, unsettled=True)
    cpis[1].delete_vm(late.id)
    assert [vm.id for vm in cpis[1].list_vms(RACKS)] == [settled.id]


def test_a_machine_that_somebody_else_uses_is_not_taken(cpis: tuple[StaticCpi, StaticCpi], lab: Lab) -> None:
    lab.run("m2", "sh", "-c", "mkdir -p /etc/kubernetes && touch /etc/kubernetes/admin.conf")
    try:
        for index in range(3):
            assert machine_of(cpis[0].create_vm(request(f"w/{index}")).id) != "m2"
        with pytest.raises(QuotaExceeded, match=r"1 in use by somebody else \(m2\); 3 taken"):
            cpis[0].create_vm(request("w/3"))
    finally:
        lab.run("m2", "rm", "-rf", "/etc/kubernetes")
