"""Snapshots of real etcd members through their gateway, and what the scripts of a restore make of them."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.clients.etcd_auth import EtcdAccess, ensure_access
from kubo_sdk.clients.etcd_snapshot import _checked
from kubo_sdk.errors import ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.nodes import etcd_restore
from kubo_sdk.nodes.etcd_restore import BUILD, DISCARD, LOOK, NO_ROOM, READY, RECEIVE, REPLACE, WRONG_PLACE
from kubo_sdk.ports.credentials import User

ROOT = User(username="root", password=Secret("root-password"))
TOKEN = "restore-0011aabb"


@pytest.fixture(scope="module")
def root(etcd) -> EtcdClient:
    """etcd with authentication on and some keys, spoken to as root."""
    client = etcd.client()
    for number in range(50):
        client.put(f"/registry/configmaps/default/{number}", os.urandom(2000))
    ensure_access(client, EtcdAccess(root=ROOT))
    return client


@pytest.fixture(scope="module")
def snapshot(root: EtcdClient, etcd) -> bytes:
    return b"".join(root.snapshot(etcd.hosts[0]))


def test_a_snapshot_is_what_etcdctl_takes_for_one(snapshot: bytes, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.db"
    file.write_bytes(snapshot)
    told = subprocess.run(
        ["etcdctl", "snapshot", "status", str(file), "--write-out=simple"],
        env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert int(told.split(",")[2]) >= 50
    assert hashlib.sha256(snapshot[:-32]).digest() == snapshot[-32:]


def test_a_snapshot_comes_in_pieces(root: EtcdClient, etcd) -> None:
    sizes = [len(piece) for piece in root.snapshot(etcd.hosts[1])]
    assert len(sizes) > 3
    assert max(sizes) < 200_000


def test_a_token_that_etcd_forgot_is_renewed(root: EtcdClient, etcd) -> None:
    root._gateway._token = "stale.1"
    assert b"".join(root.snapshot(etcd.hosts[0]))[-32:]


def test_nobody_but_root_gets_one(root: EtcdClient, etcd) -> None:
    with pytest.raises(ProviderError):
        b"".join(etcd.client().snapshot(etcd.hosts[0]))


def test_one_can_count_what_is_there(root: EtcdClient) -> None:
    count, revision = root.count("/registry/")
    assert count == 50
    assert revision > 50


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 33, 512, 100_000])
def test_a_stream_cut_short_is_no_snapshot(snapshot: bytes, cut: int) -> None:
    short = snapshot[: max(len(snapshot) - cut, 0)] if cut else snapshot[:0]
    with pytest.raises(Unavailable, match="broke off after"):
        b"".join(_checked(iter([short]), "it"))


def test_a_stream_with_a_flipped_bit_is_no_snapshot(snapshot: bytes) -> None:
    middle = len(snapshot) // 2
    flipped = snapshot[:middle] + bytes([snapshot[middle] ^ 1]) + snapshot[middle + 1 :]
    pieces = (flipped[start : start + 7777] for start in range(0, len(flipped), 7777))
    with pytest.raises(Unavailable, match="broke off after"):
        b"".join(_checked(pieces, "it"))


class Machine:
    """This host as the scripts see it, but for their directory, systemd, and the owner of the data."""

    def __init__(self, home: Path) -> None:
        self.data = home / "disk" / "etcd"
        (self.data / "member").mkdir(parents=True)
        (self.data / "member" / "old").write_text("old")
        self.received = home / "received"
        (home / "bin").mkdir()
        for name in ("systemctl", "chown"):
            program = home / "bin" / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >>{home}/calls\n')
            program.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{home}/bin:{os.environ['PATH']}"}

    def run(self, script: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        own = script.replace(etcd_restore.RECEIVED, str(self.received)).replace("/etc/etcd", str(self.received))
        command = ["sh", "-c", own, "sh", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, env=self.environment, check=False)

    def look(self, size: int) -> str:
        done = self.run(LOOK, str(self.data), TOKEN, str(size))
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def build(self, snapshot: bytes) -> subprocess.CompletedProcess[bytes]:
        url = "https://etcd-0.demo:2380"
        flags = ("--name=etcd-0", f"--initial-cluster=etcd-0={url}", f"--initial-cluster-token={TOKEN}")
        digest, tool = hashlib.sha256(snapshot).hexdigest(), shutil.which("etcdctl") or "etcdctl"
        return self.run(BUILD, str(self.data), TOKEN, digest, tool, *flags, f"--initial-advertise-peer-urls={url}")

    @property
    def tree(self) -> set[str]:
        return {path.name for path in self.data.parent.iterdir()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def pieces(snapshot: bytes, size: int = 30_000) -> Iterator[tuple[int, bytes]]:
    return ((start, snapshot[start : start + size]) for start in range(0, len(snapshot), size))


def send(machine: Machine, snapshot: bytes) -> None:
    for offset, piece in pieces(snapshot):
        assert machine.run(RECEIVE, TOKEN, str(offset), stdin=piece).returncode == 0


def test_the_new_data_is_made_beside_the_old_and_takes_its_place(machine: Machine, snapshot: bytes) -> None:
    assert machine.look(len(snapshot)) == "0"
    send(machine, snapshot)
    assert machine.look(len(snapshot)) == str(len(snapshot))
    assert machine.build(snapshot).returncode == 0
    assert machine.look(len(snapshot)) == READY
    assert (machine.data / "member" / "old").exists(), "the old data serves until the end"
    assert machine.run(REPLACE, str(machine.data), TOKEN).returncode == 0
    assert not (machine.data / "member" / "old").exists()
    assert (machine.data / "member" / "snap" / "db").stat().st_size == len(snapshot) - 32
    assert machine.tree == {"etcd", "etcd.restored"}
    assert machine.look(len(snapshot)) == READY
    assert not list(machine.received.iterdir())


def test_every_part_may_be_told_again(machine: Machine, snapshot: bytes) -> None:
    machine.look(len(snapshot))
    for offset, piece in itertools.chain(itertools.islice(pieces(snapshot), 3), pieces(snapshot)):
        assert machine.run(RECEIVE, TOKEN, str(offset), stdin=piece).returncode == 0
    for _ in range(2):
        assert machine.build(snapshot).returncode == 0
    for _ in range(2):
        assert machine.run(REPLACE, str(machine.data), TOKEN).returncode == 0
    assert (machine.data / "member" / "snap" / "db").exists()


def test_a_replacement_cut_off_at_any_command_is_finished_by_the_next(machine: Machine, snapshot: bytes) -> None:
    machine.look(len(snapshot))
    send(machine, snapshot)
    machine.build(snapshot)
    saved = machine.data.parent.with_name("saved")
    shutil.copytree(machine.data.parent, saved)
    commands = [number for number, line in enumerate(REPLACE.splitlines()) if re.match(r"\s*(mv|rm|echo|sync) ", line)]
    assert len(commands) > 4
    for number in commands:
        shutil.rmtree(machine.data.parent)
        shutil.copytree(saved, machine.data.parent)
        lines = REPLACE.splitlines()
        cut = "\n".join([*lines[:number], "kill -9 $$", *lines[number:]])
        assert machine.run(cut, str(machine.data), TOKEN).returncode == -9
        assert machine.look(len(snapshot)) == READY
        assert machine.run(REPLACE, str(machine.data), TOKEN).returncode == 0
        assert (machine.data / "member" / "snap" / "db").exists()
        assert machine.tree == {"etcd", "etcd.restored"}


def test_a_piece_that_does_not_follow_is_refused(machine: Machine, snapshot: bytes) -> None:
    machine.look(len(snapshot))
    assert machine.run(RECEIVE, TOKEN, "0", stdin=snapshot[:100]).returncode == 0
    assert machine.run(RECEIVE, TOKEN, "200", stdin=snapshot[200:300]).returncode == WRONG_PLACE


def test_what_arrived_damaged_is_not_used_and_is_sent_again(machine: Machine, snapshot: bytes) -> None:
    machine.look(len(snapshot))
    send(machine, snapshot[:-1] + bytes([snapshot[-1] ^ 1]))
    done = machine.build(snapshot)
    assert done.returncode == 1
    assert b"the snapshot arrived damaged" in done.stderr
    assert machine.look(len(snapshot)) == "0"
    assert machine.tree == {"etcd"}


def test_a_database_that_is_none_is_refused_by_etcdctl(machine: Machine) -> None:
    """Its digest is right, and it is nothing of etcd's."""
    page = os.urandom(4096)
    fake = page + hashlib.sha256(page).digest()
    machine.look(len(fake))
    send(machine, fake)
    assert machine.build(fake).returncode != 0
    assert (machine.data / "member" / "old").exists()


def test_without_room_nothing_is_made(machine: Machine) -> None:
    done = machine.run(LOOK, str(machine.data), TOKEN, str(10**15))
    assert done.returncode == NO_ROOM
    assert re.search(rb"disk has \d+ MB free, and \d+ MB are needed", done.stderr)
    assert machine.tree == {"etcd"}


def test_what_another_restore_left_goes(machine: Machine, snapshot: bytes) -> None:
    (machine.data.parent / "etcd.restore-other").mkdir()
    (machine.data.parent / "etcd.building").mkdir()
    (machine.data.parent / "etcd.mine").mkdir()
    machine.received.mkdir()
    (machine.received / "restore-other.db").write_bytes(b"x")
    assert machine.look(len(snapshot)) == "0"
    assert machine.tree == {"etcd", "etcd.mine"}
    assert not list(machine.received.iterdir())


def test_what_was_made_can_be_discarded(machine: Machine, snapshot: bytes) -> None:
    machine.look(len(snapshot))
    send(machine, snapshot)
    machine.build(snapshot)
    assert machine.run(DISCARD, str(machine.data)).returncode == 0
    assert machine.tree == {"etcd"}
    assert (machine.data / "member" / "old").exists()


def test_a_restored_member_serves_what_it_had(machine: Machine, snapshot: bytes, etcd: Any, root: EtcdClient) -> None:
    """A real etcd starts from the new data, under the name of a new cluster, and root's password is the old one."""
    url = "http://127.0.0.1"
    machine.look(len(snapshot))
    send(machine, snapshot)
    machine.build(snapshot)
    machine.run(REPLACE, str(machine.data), TOKEN)
    host = f"127.{os.getpid() % 250 + 1}.77.1"
    command = ["etcd", "--name=etcd-0", f"--data-dir={machine.data}", f"--listen-client-urls=http://{host}:2379"]
    command += [f"--advertise-client-urls={url}:2379", f"--listen-peer-urls=http://{host}:2380"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        arguments = ["etcdctl", f"--endpoints=http://{host}:2379", "--user=root:root-password", "--dial-timeout=30s"]
        arguments += ["--command-timeout=60s", "get", "--prefix", "--keys-only", "/registry/"]
        found = subprocess.run(
            arguments, env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True, check=True
        ).stdout.split()
        assert len(found) == 50
    finally:
        process.kill()
        process.wait()
