"""How arguments reach the programs that kubo runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.cli.commands.kubeconfig import write
from kubo_sdk.cli.commands.logs import journalctl
from kubo_sdk.cli.main import split
from kubo_sdk.cli.parser import build_parser
from kubo_sdk.errors import HostError
from kubo_sdk.model.secret import Secret


@pytest.mark.parametrize(
    ("given", "own", "passed_on"),
    [
        ([], [], []),
        (["exec", "worker/0", "--", "ls", "-l"], ["exec", "worker/0"], ["ls", "-l"]),
        (["kubectl", "--", "get", "--json", "--", "x"], ["kubectl"], ["get", "--json", "--", "x"]),
        (["up", "--", "-odd-name.yml"], ["up", "--", "-odd-name.yml"], []),
        (["exec", "worker/0", "uptime"], ["exec", "worker/0", "uptime"], []),
    ],
)
def test_what_stands_behind_two_dashes_is_handed_on(given: list[str], own: list[str], passed_on: list[str]) -> None:
    assert split(given) == (own, passed_on)


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ("logs worker/0", "journalctl --no-pager --quiet --lines=100"),
        ("logs worker/0 kubelet -n 5", "journalctl --no-pager --quiet --lines=5 --unit=kubelet"),
        ("logs worker/0 -f --json", "journalctl --no-pager --quiet --lines=100 --follow --output=json"),
    ],
)
def test_logs_asks_the_journal(given: str, command: str) -> None:
    assert " ".join(journalctl(build_parser().parse_args(given.split()))) == command


def test_a_kubeconfig_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "admin.kubeconfig"
    path.write_text("old")
    path.chmod(0o644)
    write(Secret("kind: Config\n"), path)
    assert path.read_text() == "kind: Config\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_kubeconfig_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be written: No such file or directory; choose another path"):
        write(Secret("x"), tmp_path / "absent" / "config")


def test_kubectl_reads_a_kubeconfig_that_is_no_file(tmp_path: Path) -> None:
    """A stand-in for kubectl reads it twice, as kubectl does, and shows what others could see."""
    stand_in = tmp_path / "kubectl"
    stand_in.write_text(
        '#!/bin/sh\ncat "$KUBECONFIG"; cat "$KUBECONFIG"; echo "$@"; tr "\\0" " " < /proc/$$/cmdline; exit 7\n'
    )
    stand_in.chmod(0o755)
    program = (
        "import pathlib, sys; from kubo_sdk.cli.commands.kubectl import become; from kubo_sdk import Secret\n"
        f"become(pathlib.Path({str(stand_in)!r}), ['get', 'nodes'], Secret('token: s3cret\\n'))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True, env=environment)
    assert told.stdout.splitlines()[:3] == ["token: s3cret", "token: s3cret", "get nodes"]
    assert "s3cret" not in told.stdout.splitlines()[3]
    assert told.returncode == 7
    assert list(tmp_path.iterdir()) == [stand_in]
