"""What a machine answers to the probe script: the text as real systemd prints it, and what is read from it."""

from __future__ import annotations

import subprocess

import pytest

from kubo_sdk.nodes.probe_script import DiskState, parse_vital_signs, probe_command

INIT = "S 0 1 1 0 -1 4194560 25042 1198093 111 1035 40 57 1516 2122 20 0 1 0 1286200 172769280 3147"

WORKER = f"""now 12900.50
init {INIT}
configured
Type=
Id=basic.target
ActiveState=active
SubState=active
StateChangeTimestampMonotonic=12863000000

Type=notify
NRestarts=2
Result=success
Id=containerd.service
ActiveState=active
SubState=running
StateChangeTimestampMonotonic=12864000000

Type=simple
NRestarts=0
Result=exit-code
Id=kubelet.service
ActiveState=activating
SubState=auto-restart
Job=512
StateChangeTimestampMonotonic=12900000000
"""


def test_units_are_read_in_whatever_order_systemd_prints_their_properties() -> None:
    signs = parse_vital_signs(WORKER)
    assert (signs.booted, signs.configured, signs.disk) == (True, True, None)
    containerd, kubelet = signs.units
    assert (containerd.name, containerd.active, containerd.restarts, containerd.queued) == (
        "containerd.service",
        "active",
        2,
        False,
    )
    assert (kubelet.sub, kubelet.result, kubelet.queued, kubelet.age) == ("auto-restart", "exit-code", True, 0.5)


def test_only_a_status_text_that_begins_so_is_a_trouble() -> None:
    told = WORKER.replace("Id=containerd.service", "StatusText=! cannot a=b").replace(
        "Id=kubelet.service", "StatusText=all is well\nId=kubelet.service"
    )
    told = told.replace("StatusText=! cannot a=b", "StatusText=! cannot a=b\nId=containerd.service")
    assert [unit.trouble for unit in parse_vital_signs(told).units] == ["cannot a=b", ""]


def test_failures_of_late_are_counted_for_the_unit_that_failed() -> None:
    told = WORKER.replace("configured\n", "configured\nfailed kubelet.service\nfailed kubelet.service\n")
    assert [unit.failures for unit in parse_vital_signs(told).units] == [0, 2]


def test_uptime_counts_from_the_start_of_the_machines_own_init() -> None:
    assert parse_vital_signs(WORKER).uptime == pytest.approx(12900.5 - 12862.0)


def test_a_machine_without_systemds_socket_is_booting() -> None:
    signs = parse_vital_signs(f"now 12862.20\ninit {INIT}\nbooting\n")
    assert (signs.booted, signs.configured, signs.units) == (False, False, ())
    assert signs.uptime == pytest.approx(0.2)


def test_a_basic_target_that_is_not_reached_is_booting_as_well() -> None:
    early = WORKER.replace("ActiveState=active\nSubState=active", "ActiveState=inactive\nSubState=dead")
    assert not parse_vital_signs(early).booted


@pytest.mark.parametrize(
    ("line", "disk"),
    [
        (
            "disk /var/lib/kubo/disk 1000 400 64 10 rw",
            DiskState(target="/var/lib/kubo/disk", size=1000, free=400, inodes=64, free_inodes=10, writable=True),
        ),
        (
            "disk /var/lib/kubo/disk 1000 400 - - ro",
            DiskState(target="/var/lib/kubo/disk", size=1000, free=400, inodes=0, free_inodes=0, writable=False),
        ),
        ("disk none ro", DiskState(target="", size=0, free=0, inodes=0, free_inodes=0, writable=False)),
    ],
)
def test_the_disks_line_is_what_df_says_and_whether_it_can_be_written(line: str, disk: DiskState) -> None:
    assert parse_vital_signs(f"now 12870.0\ninit {INIT}\n{line}\nbooting\n").disk == disk


@pytest.mark.parametrize("text", ["", "sh: not found\n", "now\ninit\n", "now soon\ninit S 0\n"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_vital_signs(text)


def test_the_script_runs_in_a_posix_shell_and_its_answer_can_be_read() -> None:
    for disk in (False, True):
        done = subprocess.run(probe_command(disk=disk), capture_output=True, text=True, check=False, timeout=30)
        assert done.stderr == "" or "systemctl" in done.stderr or "bus" in done.stderr
        signs = parse_vital_signs(done.stdout)
        assert signs.uptime > 0
        assert (signs.disk is not None) == disk
