"""Command lines reach the program as they were meant."""

from __future__ import annotations

import shlex

import pytest

from kubo_sdk.systemd import command_line, service


@pytest.mark.parametrize(
    ("argument", "written"),
    [
        ("--plain=a,b:c/d", "--plain=a,b:c/d"),
        ("two words", '"two words"'),
        ('say "hi"', r'"say \"hi\""'),
        ("100%", '"100%%"'),
        ("$HOME", '"$$HOME"'),
        ("--config=/x-${KUBO_CGROUP}.json", '"--config=/x-${KUBO_CGROUP}.json"'),
        ("back\\slash", r'"back\\slash"'),
        ("two\nlines", r'"two\nlines"'),
        ("", '""'),
        (";", '";"'),
    ],
)
def test_an_argument_is_quoted_as_systemd_reads_it(argument: str, written: str) -> None:
    assert command_line([argument]) == written


def test_a_long_command_has_one_argument_a_line_and_a_short_one_has_one_line() -> None:
    assert "\n" not in command_line(["/bin/echo", "short"])
    long = command_line(["/bin/echo", *(f"--flag-{number}=value" for number in range(20))])
    assert long.count("\\\n") == 20
    assert shlex.split(long.replace("\\\n", "")) == ["/bin/echo", *(f"--flag-{number}=value" for number in range(20))]


def test_a_service_is_restarted_for_ever_and_its_own_settings_win() -> None:
    text = service(description="d", command=["/bin/true"], settings={"RestartSec": "9", "Environment": ("A=1", "B=2")})
    assert "Restart=always\n" in text
    assert "StartLimitIntervalSec=0\n" in text
    assert "RestartSec=9\n" in text
    assert "RestartSec=1\n" not in text
    assert "Environment=A=1\nEnvironment=B=2\n" in text
