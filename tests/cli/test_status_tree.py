"""The status for people: columns where nobody draws, a tree on a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

from kubo_sdk.cli.status_tree import status_lines
from kubo_sdk.model.status import ClusterStatus, EtcdStatus, InstanceStatus, SourceStatus


def instance(name: str, *sources: SourceStatus, **notes: bool) -> InstanceStatus:
    return InstanceStatus(
        instance=name,
        role=name.partition("/")[0],
        state="running",
        address="10.0.0.1",
        az="z1",
        healthy=all(source.verdict == "good" for source in sources),
        facts={source.source: source.word for source in sources},
        sources=sources,
        **notes,
    )


def source(name: str, word: str, verdict: str = "good", age: float = 0.0) -> SourceStatus:
    return SourceStatus(source=name, verdict=verdict, word=word, age=age)


STATUS = ClusterStatus(
    cluster="kubo/demo",
    kubernetes="1.20.2",
    endpoint="",
    healthy=False,
    verdict="1 of 2 instances are healthy; unhealthy: worker/0",
    etcd=EtcdStatus(members=1, healthy=1, quorum=1),
    instances=(
        instance("etcd/0", source("machine", "running"), source("etcd", "healthy, leader")),
        instance(
            "worker/0",
            source("machine", "running", age=5.2),
            source("shell", "answers"),
            source("units", "kubelet failed (exit-code)", "bad", age=3.0),
            source("node", "Ready"),
            paused=True,
        ),
    ),
)


def test_plain_text_tells_what_a_healthy_instance_does_and_what_ails_a_sick_one() -> None:
    assert list(status_lines(STATUS)) == [
        "kubo/demo  Kubernetes 1.20.2  etcd 1/1",
        "1 of 2 instances are healthy; unhealthy: worker/0",
        "INSTANCE  ROLE    STATE    ADDRESS   AZ  FACTS",
        "etcd/0    etcd    running  10.0.0.1  z1  etcd: healthy, leader",
        "worker/0  worker  running  10.0.0.1  z1  paused, units: kubelet failed (exit-code) (3 s ago)",
    ]


def test_a_terminal_gets_a_tree_with_every_word_about_the_sick() -> None:
    program = "from test_status_tree import STATUS\nfrom kubo_sdk.cli.commands.status import show\nshow(STATUS)"
    told = on_a_terminal([sys.executable, "-c", program], PYTHONPATH=str(Path(__file__).parent))
    lines = [line.rstrip() for line in told.splitlines()]
    assert lines[:2] == ["kubo/demo  Kubernetes 1.20.2  etcd 1/1", STATUS.verdict]
    assert "├── etcd" in lines
    assert any(line.startswith("│   └── ✓ etcd/0") and line.endswith("healthy, leader") for line in lines)
    assert any("✗ worker/0" in line and line.endswith("paused") for line in lines)
    assert any(line.endswith("✗ units    kubelet failed (exit-code) (3 s ago)") for line in lines)
    assert any(line.endswith("✓ machine  running (5 s ago)") for line in lines)


def on_a_terminal(command: list[str], **environment: str) -> str:
    """What *command* prints on a terminal of 100 columns, without colours."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "100", **environment}
    with subprocess.Popen(command, stdout=theirs, env=settings) as process:
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # The end of a terminal is an error.
            while piece := os.read(ours, 65536):
                told += piece
        os.close(ours)
    assert process.returncode == 0
    return "".join(strip(told.decode()))


def strip(text: str) -> str:
    """*text* without the escapes that make letters bold or dim."""
    kept, inside = [], False
    for letter in text:
        inside = inside or letter == "\x1b"
        if not inside:
            kept.append(letter)
        inside = inside and letter != "m"
    return "".join(kept)
