"""The command ``kubo-cpi`` towards a director, with real machines of `local` behind it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .conftest import Chain
from .director import CpiFailed, Director


@pytest.fixture
def director(chain: Chain) -> Director:
    return Director((chain.command, str(chain.settings)))


def shell(chain: Chain, cid: str, line: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [chain.command, "shell", str(chain.settings), cid, line]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def test_a_director_deploys_one_machine_with_a_disk_and_nothing_is_left(chain: Chain, director: Director) -> None:
    vm, networks = director.create_vm(az="z2", role="master")
    assert networks["private"]["ip"] == "10.77.0.2"
    disk = director.call("create_disk", 64, {}, vm)
    hint = director.call("attach_disk", vm, disk)
    assert hint == "/var/lib/kubo/disk"
    assert shell(chain, vm, f"cat > {hint}/file", b"kept").returncode == 0
    director.call("reboot_vm", vm)
    assert shell(chain, vm, f"cat {hint}/file").stdout == b"kept"
    other, _ = director.create_vm("11111111-3b0e-4b7c-9d7e-2a1c7b1d9f10")
    with pytest.raises(CpiFailed, match=r"Bosh::Clouds::CloudError: .*is attached to"):
        director.call("attach_disk", other, disk)
    director.call("delete_vm", vm)
    director.call("attach_disk", other, disk)
    assert shell(chain, other, f"cat {hint}/file").stdout == b"kept"
    director.call("delete_vm", other)
    assert director.call("has_disk", disk) is True
    director.call("delete_disk", disk)
    assert director.call("has_disk", disk) is False
    assert not Path(chain.root, "machines").exists()


def test_the_shell_passes_streams_and_exit_codes_and_says_when_there_is_no_machine(
    chain: Chain, director: Director
) -> None:
    vm, _ = director.create_vm()
    done = shell(chain, vm, "cat; echo problem >&2; exit 7", b"\x00in\xff")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"\x00in\xff", b"problem\n")
    director.call("delete_vm", vm)
    gone = shell(chain, vm, "true")
    assert (gone.returncode, gone.stdout) == (255, b"")
    assert gone.stderr == f"there is no machine {vm}\n".encode()
