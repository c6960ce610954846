"""Death at many moments: of the SDK while it creates or deletes, and of the launcher it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.errors import HostError
from kubo_sdk.ports.cpi import VmState
from kubo_sdk_local import cgroups
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.residue import snapshot

from .conftest import CACHE, DEMO, boot, out, request

SHARES = 12


def interrupt(root: Path, what: str, moment: int) -> int:
    """Run *what* in a process that dies at *moment*; returns the number of moments when it did not."""
    command = [
        sys.executable,
        str(Path(__file__).with_name("interrupted.py")),
        str(moment),
        str(root),
        str(CACHE),
        what,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return int(done.stdout)
    assert done.returncode == -9, done.stderr
    return 0


def moments(total: int) -> list[int]:
    """Some of the moments, spread evenly from the first to nearly the last; runs differ by a few."""
    return sorted({1 + (total - 6) * share // (SHARES - 1) for share in range(SHARES)})


def test_a_create_that_was_killed_anywhere_can_be_completed_or_deleted(cpi: LocalCpi, root: Path) -> None:
    empty = snapshot(root)
    total = interrupt(root, "create", 0)
    assert total > SHARES
    for number, moment in enumerate(moments(total)):
        _remove_all(cpi)
        assert interrupt(root, "create", moment) == 0
        if number % 2:
            vm = cpi.create_vm(request())
            assert vm.state is VmState.RUNNING
            boot(cpi, vm)
            assert out(cpi, vm, "hostname") == "worker-0"
            assert cpi.list_vms(DEMO) == (vm,)
        _remove_all(cpi)
        assert _new(root, empty) == set(), f"killed at moment {moment} of {total}"


def test_a_delete_that_was_killed_anywhere_can_be_repeated(cpi: LocalCpi, root: Path) -> None:
    empty = snapshot(root)
    cpi.create_vm(request())
    total = interrupt(root, "delete", 0)
    assert total > SHARES
    for number, moment in enumerate(moments(total)):
        cpi.create_vm(request())
        assert interrupt(root, "delete", moment) == 0
        if number % 2:
            vm = cpi.create_vm(request())
            boot(cpi, vm)
        _remove_all(cpi)
        assert _new(root, empty) == set(), f"killed at moment {moment} of {total}"


def test_a_launcher_that_was_killed_anywhere_leaves_what_can_be_completed(
    cpi: LocalCpi, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = snapshot(root)
    cpi.delete_vm(cpi.create_vm(request()).id)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(_dying_python(tmp_path, 0)))
        cpi.create_vm(request())
    total = max(map(int, (tmp_path / "reached").read_text().split()))
    for moment in moments(total):
        _remove_all(cpi)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(_dying_python(tmp_path, moment)))
            with pytest.raises(HostError, match="starting worker/0 failed"):
                cpi.create_vm(request())
        boot(cpi, cpi.create_vm(request()))
        _remove_all(cpi)
        assert _new(root, empty) == set(), f"killed at moment {moment} of {total}"


def _dying_python(directory: Path, moment: int) -> Path:
    """An interpreter that kills itself, or the child it forked, at that event, and writes down how many it saw."""
    (directory / "hook.py").write_text(f"""
import os, sys
reached = 0
seen = os.open({str(directory / "reached")!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
def count(event, _):
    global reached
    if event.startswith(("open", "os.", "socket.", "ctypes.", "marshal.")):
        reached += 1
        os.write(seen, b"%d\\n" % reached)
        if reached == {moment}:
            os.kill(os.getpid(), 9)
            os._exit(9)  # The first process of a namespace does not hear its own signals.
sys.addaudithook(count)
exec(sys.argv.pop(1))
""")
    wrapper = directory / "python"
    wrapper.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} -I -S -c "$(cat {directory}/hook.py)" "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


def _remove_all(cpi: LocalCpi) -> None:
    """As deleting the cluster would.  A launcher that outlived its SDK holds the machine's lock until it is done."""
    for vm in cpi.list_vms(DEMO):
        cpi.delete_vm(vm.id)


def _new(root: Path, empty: frozenset[str]) -> set[str]:
    """What came on top of *empty*, but for what the cluster keeps until it is disposed of."""
    cluster = f"file {root}/machines/tests/demo"
    files = ("locks", "locks/worker-0", "locks/cluster", "addresses.json", ".addresses.json.new")
    half_made = ("worker-0", "worker-0/.machine.json.new")
    kept = {f"{cluster}/{name}" for name in files + half_made}
    kept.update(f"cgroup {top}/{_cgroup(root)}" for top, _ in cgroups.hierarchies())
    return set(snapshot(root) - empty - kept)


def _cgroup(root: Path) -> str:
    """The cgroup of the whole cluster."""
    return Layout(root).cgroup(DEMO)
