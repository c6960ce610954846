"""Nothing the CPI made is left behind unseen: not after a lost answer, not after the death of anybody."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, ProviderError, Unavailable
from kubo_sdk.ports.cpi import DiskCpi, VmState

from .conftest import DEMO, HERE, Foreign, disk_request, vm_request

# Connects, and makes one machine or one disk.
CHILD = """
import json, runpy, sys
from pathlib import Path
site = runpy.run_path(sys.argv[2])
cpi = site["connect_with"](json.loads(sys.argv[1]), Path(sys.argv[3]))
cpi.create_vm(site["vm_request"]()) if sys.argv[4] == "create_vm" else cpi.create_disk(site["disk_request"]())
"""


def kill_while_asking(foreign: Foreign, method: str) -> None:
    """Kill a process that waits for the CPI, which lives on."""
    arguments = [json.dumps(foreign.options), str(HERE / "conftest.py"), str(foreign.state_dir), method]
    asking = subprocess.Popen([sys.executable, "-c", CHILD, *arguments])
    waiting = foreign.root / "waiting"
    wait_until(lambda: waiting.exists() or None, what="the call", timeout=30)
    asking.send_signal(signal.SIGKILL)
    asking.wait(timeout=20)


def test_a_lost_answer_leaves_a_machine_of_unknown_state(foreign: Foreign, prepared: DiskCpi) -> None:
    foreign.next("create_vm", "lost")
    with pytest.raises(ProviderError, match="the answer of the BOSH CPI to create_vm is not JSON") as caught:
        prepared.create_vm(vm_request())
    assert caught.value.retry_after is None
    (vm,) = prepared.list_vms(DEMO)
    assert (vm.instance, vm.token, vm.state) == ("worker/0", "worker-0", VmState.UNKNOWN)
    assert vm.id.startswith("unfinished:vm/worker-0.")


def test_a_cpi_that_recognises_the_agent_id_gives_the_same_machine_again(foreign: Foreign) -> None:
    foreign.configure(recognises=True)
    cpi = foreign.connect()
    cpi.prepare(DEMO)
    foreign.next("create_vm", "lost")
    with pytest.raises(ProviderError):
        cpi.create_vm(vm_request())
    made = cpi.create_vm(vm_request())
    assert [made.id] == list(foreign.has("vms"))
    first, second = (request["arguments"][0] for request in foreign.requests("create_vm"))
    assert first == second


def test_what_a_lost_answer_may_have_left_is_noted_until_somebody_looked(foreign: Foreign, prepared: DiskCpi) -> None:
    foreign.next("create_vm", "lost")
    with pytest.raises(ProviderError):
        prepared.create_vm(vm_request())
    (orphan,) = foreign.has("vms")
    made = prepared.create_vm(vm_request())
    assert set(foreign.has("vms")) == {orphan, made.id}
    prepared.delete_vm(made.id)
    with pytest.raises(Conflict) as caught:
        prepared.dispose(DEMO)
    doubts = foreign.state_dir / "boshcpi" / "tests" / "demo" / "doubts"
    agent = foreign.has("vms")[orphan]["agent_id"]
    assert str(caught.value) == (
        "the BOSH CPI may have left behind, without ever telling its cid: "
        f"vm of worker/0 (agent id {agent}); look for it at the infrastructure, then remove {doubts}"
    )
    for note in doubts.iterdir():
        note.unlink()
    doubts.rmdir()
    prepared.dispose(DEMO)
    assert prepared.list_vms(DEMO) == ()


def test_an_unfinished_machine_can_be_deleted_and_is_noted(foreign: Foreign, prepared: DiskCpi) -> None:
    foreign.next("create_vm", "lost")
    with pytest.raises(ProviderError):
        prepared.create_vm(vm_request())
    (vm,) = prepared.list_vms(DEMO)
    prepared.delete_vm(vm.id)
    assert prepared.list_vms(DEMO) == ()
    with pytest.raises(Conflict, match="may have left behind"):
        prepared.dispose(DEMO)


def test_an_error_means_that_nothing_is_left_and_the_hint_to_retry_is_kept(foreign: Foreign, prepared: DiskCpi) -> None:
    foreign.next("create_vm", "retry")
    with pytest.raises(Unavailable, match="the cloud is busy") as caught:
        prepared.create_vm(vm_request())
    assert caught.value.retry_after == 1.0
    assert prepared.list_vms(DEMO) == ()
    prepared.dispose(DEMO)


def test_a_creation_that_takes_too_long_is_doubted_and_not_tried_again_blindly(foreign: Foreign) -> None:
    cpi = foreign.connect(timeout=1.0)
    cpi.prepare(DEMO)
    foreign.next("create_vm", "hang")
    with pytest.raises(Unavailable, match=r"create_vm of the BOSH CPI did not end within 1 s") as caught:
        cpi.create_vm(vm_request())
    assert caught.value.retry_after is None
    assert [vm.state for vm in cpi.list_vms(DEMO)] == [VmState.UNKNOWN]
    cpi.create_vm(vm_request())
    assert [vm.state for vm in cpi.list_vms(DEMO)] == [VmState.RUNNING]


@pytest.mark.parametrize("method", ["create_vm", "create_disk"])
def test_the_answer_outlives_the_process_that_asked(foreign: Foreign, prepared: DiskCpi, method: str) -> None:
    foreign.next(method, "wait")
    kill_while_asking(foreign, method)
    (foreign.root / "go").touch()
    if method == "create_vm":
        assert [vm.state for vm in prepared.list_vms(DEMO)] == [VmState.UNKNOWN]
        made = prepared.create_vm(vm_request()).id
    else:
        made = prepared.create_disk(disk_request()).id
    assert [made] == list(foreign.has("vms" if method == "create_vm" else "disks"))
    assert len(foreign.requests(method)) == 1
    assert not list(foreign.state_dir.rglob("*.answer"))


def test_what_a_dead_process_was_making_is_deleted_with_the_cluster(foreign: Foreign, prepared: DiskCpi) -> None:
    foreign.next("create_vm", "wait")
    kill_while_asking(foreign, "create_vm")
    (vm,) = prepared.list_vms(DEMO)
    (foreign.root / "go").touch()
    prepared.delete_vm(vm.id)
    assert foreign.has("vms") == {}
    prepared.dispose(DEMO)


def test_a_machine_that_cannot_be_finished_is_removed_and_one_that_was_there_stays(
    foreign: Foreign, prepared: DiskCpi
) -> None:
    foreign.next("set_vm_metadata", "broken")
    with pytest.raises(ProviderError, match="set_vm_metadata of the BOSH CPI failed: the cloud said no"):
        prepared.create_vm(vm_request())
    assert foreign.has("vms") == {}
    made = prepared.create_vm(vm_request())
    foreign.next("set_vm_metadata", "broken")
    with pytest.raises(ProviderError):
        prepared.create_vm(vm_request())
    assert prepared.list_vms(DEMO) == (made,)


def test_a_ledger_that_was_lost_can_be_written_anew(foreign: Foreign, prepared: DiskCpi) -> None:
    vm = prepared.create_vm(vm_request())
    ledger = foreign.state_dir / "boshcpi" / "tests" / "demo"
    for entry in (ledger / "vms").iterdir():
        entry.unlink()
    assert prepared.list_vms(DEMO) == ()
    entry = {
        "kind": "vm",
        "director": "tests",
        "cluster": "demo",
        "instance": "worker/0",
        "token": "worker-0",
        "cid": vm.id,
        "az": "z1",
        "address": vm.address,
    }
    written = {**entry, "tags": []}
    digest = hashlib.sha256(b"worker-0").hexdigest()[:12]
    (ledger / "vms" / f"worker-0.{digest}.json").write_text(json.dumps(written))
    assert prepared.list_vms(DEMO) == (vm,)
    assert prepared.create_vm(vm_request()) == vm
