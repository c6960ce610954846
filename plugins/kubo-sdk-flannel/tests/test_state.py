"""What the agent says of itself: enough to know what is wrong, and no more than once."""

from __future__ import annotations

import json
import socket
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from kubo_sdk_flannel.agent.state import State
from kubo_sdk_flannel.agent.store import View
from kubo_sdk_flannel.agent.wire import Lease


def lease(number: int) -> Lease:
    return Lease(IPv4Network(f"10.200.{number}.0/24"), f"192.0.2.{number}", "vxlan", 1, "02:00:00:00:00:01")


def test_members_that_take_turns_in_failing_are_told_once_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State(str(tmp_path / "state.json"), "192.0.2.1")
    for _ in range(5):
        for member in ("a", "b"):
            state.trouble("store", f"etcd {member} is away")
    state.trouble("store", "")
    state.trouble("store", "")
    state.trouble("store", "etcd a is away")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["etcd a is away", "etcd b is away", "store: works again", "etcd a is away"]


def test_the_file_shows_the_network_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "state.json"
    state = State(str(path), "192.0.2.1")
    view = View(lease(1), (lease(9), lease(2)))
    state.ready(view, network="10.200.0.0/16", device="flannel.1", mtu=1450, expires_at=1.0)
    state.trouble("store", "etcd is away")
    state.trouble("iptables", "iptables is missing")
    state.trouble("store", "")
    shown = json.loads(path.read_text())
    assert (shown["state"], shown["subnet"], shown["error"]) == ("ready", "10.200.1.0/24", "iptables is missing")
    assert shown["lease_expires_at"] == "1970-01-01T00:00:01Z"
    assert [entry["public_ip"] for entry in shown["leases"]] == ["192.0.2.2", "192.0.2.9"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_systemd_hears_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        state = State(str(tmp_path / "state.json"), "192.0.2.1")
        state.trouble("store", "etcd is away")
        assert listener.recv(1000) == b"STATUS=waiting: etcd is away"
        state.ready(View(lease(1), ()), network="10.200.0.0/16", device="flannel.1", mtu=1450, expires_at=1.0)
        assert listener.recv(1000) == b"STATUS=10.200.1.0/24 over vxlan, other nodes: 0"
