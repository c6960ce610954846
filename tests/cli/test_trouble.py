"""Expected errors are sentences; bugs keep their traceback."""

from __future__ import annotations

import json

import pytest

from kubo_sdk.cli.output import columns
from kubo_sdk.cli.trouble import report
from kubo_sdk.errors import Cancelled, ConfigError, DeployFailed, HostError, KuboError, Unavailable

CASES: list[tuple[KuboError, int, list[str]]] = [
    (ConfigError(["a.yml:1: x is wrong", "a.yml:2: y is wrong"]), 2, ["a.yml:1: x is wrong", "a.yml:2: y is wrong"]),
    (HostError("this host has\nno bridge"), 4, ["this host has no bridge"]),
    (
        DeployFailed([("create vm etcd/0", HostError("no space")), ("start etcd/1", Unavailable(""))]),
        8,
        ["create vm etcd/0: no space", "start etcd/1: Unavailable"],
    ),
    (Cancelled("stopped: Ctrl-C; go on later"), 130, ["stopped: Ctrl-C; go on later"]),
]


@pytest.mark.parametrize(("error", "code", "sentences"), CASES)
def test_every_sentence_is_one_line(
    error: KuboError, code: int, sentences: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, json=False) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [f"kubo: {sentence}" for sentence in sentences]


def test_a_bug_inside_a_step_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("missing")  # noqa: TRY301 - a bug of some step
    except KeyError as error:
        report(DeployFailed([("start etcd/0", error)]), json=True)
    told = capsys.readouterr()
    assert "kubo: start etcd/0: KeyError: 'missing'" in told.err
    assert "Traceback (most recent call last)" in told.err
    assert json.loads(told.out) == {
        "result": "error",
        "error": "DeployFailed",
        "exit_code": 8,
        "messages": ["start etcd/0: KeyError: 'missing'"],
    }


def test_columns_are_aligned_without_trailing_blanks() -> None:
    assert columns([("A", "LONG", "C"), ("aaa", "b", "")]) == ["A    LONG  C", "aaa  b"]
