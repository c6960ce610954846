"""The command ``kubo-static``: pins keys, shows who has what, gives a machine back by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubo_sdk_static.command import main
from kubo_sdk_static.machines_file import read_machines

from .lab import RACKS, Lab, request


def test_keys_are_asked_for_and_pinned_and_nothing_else_changes(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    path = lab.home / "scanned.yml"
    path.write_text(
        f"""\
# The racks in the cellar.
key_file: key
machines:
  - name: m0   # the old one
    address: {lab.machines["m0"].address}
    zone: z1
  - {{name: m1, address: {lab.machines["m1"].address}, zone: z2}}
  - name: m2
    address: {lab.machines["m2"].address}
    host_keys: ["{lab.host_keys["m2"]}"]
"""
    )
    before = path.read_text()
    assert main(["scan", str(path)]) == 0
    assert path.read_text() == before
    assert f"m0: {lab.host_keys['m0']}" in capsys.readouterr().out
    assert main(["scan", "--write", str(path)]) == 0
    assert "compare them with" in capsys.readouterr().err
    assert [machine.host_keys for machine in read_machines(path).machines] == [
        (lab.host_keys[name],) for name in ("m0", "m1", "m2")
    ]
    assert [line for line in path.read_text().splitlines() if "host_keys" not in line] == [
        line for line in before.splitlines() if "host_keys" not in line and "{name: m1" not in line
    ]
    assert main(["scan", str(path)]) == 0


def test_a_machine_that_tells_no_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], lab: Lab) -> None:
    path = tmp_path / "machines.yml"
    path.write_text(f"machines:\n  - {{name: a, address: {lab.machines['m0'].address}, port: 1}}\n")
    assert main(["scan", "--write", str(path)]) == 1
    assert "tells no ed25519 key" in capsys.readouterr().out


def test_who_has_what_is_shown_and_a_machine_is_given_back_by_hand(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lab.file(["m0", "m1"], path="by-hand.yml")
    vm = lab.cpi(path).create_vm(request("worker/0"))
    name = vm.id.partition(".")[0]
    assert main(["list", str(path)]) == 0
    told = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "settled: worker/0 of lab/racks since" in told[name]
    assert {line.split()[3] for line in told.values()} == {"settled:", "free"}
    assert main(["release", "--yes", str(path), name]) == 0
    assert main(["release", "--yes", str(path), name]) == 0
    assert lab.cpi(path).list_vms(RACKS) == ()


def test_what_cannot_be_done_is_one_sentence(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    path = lab.file(["m0"], path="by-hand.yml")
    assert main(["release", "--yes", str(path), "m7"]) == 9
    assert capsys.readouterr().err == f"kubo-static: {path} lists no machine 'm7'\n"
    assert main(["list", str(lab.home / "nowhere.yml")]) == 2
