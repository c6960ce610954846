"""A machine that does not answer is not a machine that is gone; one that was taken out of the file is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import AuthError, Unavailable
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.testing.contracts.contract import at_once
from kubo_sdk_static.cpi import StaticCpi

from .lab import RACKS, Lab, request

NAMES = ("m0", "m1", "m2", "m3", "m4")
STRANGE_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFK1xTq3mRb1Tf0p4m5oC1xS7k2uV8yQ9wE0rT1yU2iO"


def connected(lab: Lab, *names: str, **more: object) -> StaticCpi:
    """As another process on another host: it has seen nothing yet."""
    return lab.cpi(
        lab.file(names or NAMES, path=f"silence-{len(more)}-{'-'.join(names)}.yml", **more), connect_timeout=4.0
    )


@pytest.fixture
def vms(lab: Lab) -> Iterator[dict[str, Vm]]:
    """Three machines, claimed at the same time, by instance."""
    cpi = connected(lab)
    made = at_once(cpi.create_vm, [request(f"worker/{index}", tags=(("role", "worker"),)) for index in range(3)])
    yield {vm.instance: vm for vm in made}
    wait_until(lambda: cleared(lab), what="an answer of all machines", timeout=60)


def cleared(lab: Lab) -> bool | None:
    cpi = connected(lab)
    listed = cpi.list_vms(RACKS)
    if any(vm.state is VmState.UNKNOWN for vm in listed):
        return None
    for vm in listed:
        cpi.delete_vm(vm.id)
    return True


def name_of(vm: Vm) -> str:
    return vm.id.partition(".")[0]


def states(cpi: StaticCpi) -> dict[str, str]:
    return {vm.instance: str(vm.state) for vm in cpi.list_vms(RACKS)}


def test_a_silent_machine_is_known_to_everybody_by_what_the_others_remember(lab: Lab, vms: dict[str, Vm]) -> None:
    lost = vms["worker/1"]
    with lab.silent(name_of(lost)):
        fresh = connected(lab)
        found = {vm.instance: vm for vm in fresh.list_vms(RACKS)}
        assert found["worker/1"].state is VmState.UNKNOWN
        assert (found["worker/1"].id, found["worker/1"].provider_id) == (lost.id, lost.provider_id)
        assert (found["worker/1"].address, found["worker/1"].tags) == (lost.address, lost.tags)
        assert found["worker/0"].state is VmState.RUNNING
        with pytest.raises(Unavailable, match=f"worker/1 has machine {name_of(lost)} already, which does not answer"):
            fresh.create_vm(request("worker/1"))
        with pytest.raises(Unavailable, match=name_of(lost)):
            fresh.delete_vm(lost.id)
    wait_until(lambda: states(fresh)["worker/1"] == "running" or None, what="its answer", timeout=60)


def test_those_who_are_left_remember_each_other(lab: Lab, vms: dict[str, Vm]) -> None:
    connected(lab).delete_vm(vms["worker/1"].id)
    with lab.silent(name_of(vms["worker/2"])):
        assert states(connected(lab)) == {"worker/0": "running", "worker/2": "unknown"}


def test_when_nobody_answers_nobody_says_that_there_is_nothing(lab: Lab, vms: dict[str, Vm]) -> None:
    alone = name_of(vms["worker/0"])
    with lab.silent(alone), pytest.raises(Unavailable, match="none of 1 machines answers"):
        connected(lab, alone).list_vms(RACKS)


def test_a_machine_taken_out_of_the_file_is_given_up_and_given_back_when_it_returns(
    lab: Lab, vms: dict[str, Vm]
) -> None:
    old = vms["worker/1"]
    others = [name for name in NAMES if name != name_of(old)]
    without = connected(lab, *others)
    assert sorted(states(without)) == ["worker/0", "worker/2"]
    new = without.create_vm(request("worker/1"))
    assert new.provider_id != old.provider_id
    again = connected(lab)
    assert [vm.id for vm in again.list_vms(RACKS) if vm.instance == "worker/1"][-1] == new.id
    assert again.create_vm(request("worker/1")).id == new.id
    again.prepare(RACKS)
    assert [vm.id for vm in again.list_vms(RACKS) if vm.instance == "worker/1"] == [new.id]


def test_a_machine_with_another_host_key_is_refused_and_not_forgotten(lab: Lab, vms: dict[str, Vm]) -> None:
    name = name_of(vms["worker/2"])
    cpi = connected(lab, *NAMES, **{name: {"host_keys": [STRANGE_KEY]}})
    assert states(cpi)["worker/2"] == "unknown"
    with pytest.raises(
        AuthError, match=r"another host key.*if it was reinstalled, put its new host key into"
    ) as refused:
        cpi.delete_vm(vms["worker/2"].id)
    assert refused.value.retry_after is None
    with pytest.raises(AuthError, match="another host key"):
        cpi.open_shell(vms["worker/2"]).run(["true"])


def test_a_reinstalled_machine_is_gone_and_may_be_had_again(lab: Lab, vms: dict[str, Vm]) -> None:
    name = name_of(vms["worker/0"])
    lab.run(name, "rm", "-rf", "/var/lib/kubo-static")
    cpi = connected(lab)
    assert sorted(states(cpi)) == ["worker/1", "worker/2"]
    assert cpi.create_vm(request("worker/0")).id != vms["worker/0"].id
