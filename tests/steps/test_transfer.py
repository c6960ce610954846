"""A large file in pieces, through a shell of this host that is cut off on the way."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import define, field

from kubo_sdk.errors import HostError, QuotaExceeded, ShellError, Unavailable
from kubo_sdk.nodes.transfer_script import RECEIVE
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.releases.packed import Packed, pack_bundle, pack_release
from kubo_sdk.steps import transfer


@define
class HostShell:
    """Runs commands here.  ``cut``: how many bytes of a piece arrive before its connection is lost, piece by piece."""

    cut: list[int | None] = field(factory=list)
    sent: list[int] = field(factory=list)
    spoil: bool = False

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        lost = self.cut.pop(0) if command[2] == RECEIVE and self.cut else None
        given = stdin if lost is None else stdin[:lost]
        if command[2] == RECEIVE:
            self.sent.append(len(given))
            given = given[::-1] if self.spoil else given
        done = subprocess.run(command, input=given, capture_output=True, timeout=timeout, check=False)
        if lost is not None:
            raise Unavailable("the connection was lost")
        return Outcome(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def interact(self, command: Sequence[str]) -> int:
        raise NotImplementedError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release of several pieces that no compression makes small."""
    monkeypatch.setattr(transfer, "PIECE_BYTES", 1000)
    made = tmp_path / "releases" / "1.2.3-demo"
    (made / "bin").mkdir(parents=True)
    (made / "bin/kubelet").write_bytes(random.Random(7).randbytes(5500))
    (made / "bin/kubelet").chmod(0o755)
    return made


def send(shell: HostShell, tree: Path, place: Path, room: int = 0) -> None:
    def pack(anew: bool) -> Packed:
        return pack_release(tree, anew=anew)

    transfer.send_tree(shell, pack, str(place), room=room, what="the release to worker/0")


def test_what_arrives_is_what_was_sent(tree: Path, tmp_path: Path) -> None:
    send(HostShell(), tree, tmp_path / "machine/release")
    arrived = tmp_path / "machine/release/bin/kubelet"
    assert arrived.read_bytes() == (tree / "bin/kubelet").read_bytes()
    assert arrived.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in (tmp_path / "machine").iterdir()] == ["release"]


def test_it_goes_on_where_the_connection_was_lost(tree: Path, tmp_path: Path) -> None:
    shell = HostShell(cut=[None, None, 300])
    with pytest.raises(Unavailable):
        send(shell, tree, tmp_path / "machine/release")
    assert not (tmp_path / "machine/release").exists()
    send(shell, tree, tmp_path / "machine/release")
    assert sum(shell.sent) == pack_release(tree).size
    assert (tmp_path / "machine/release/bin/kubelet").read_bytes() == (tree / "bin/kubelet").read_bytes()


def test_what_is_spoilt_on_the_way_is_never_put_in_place(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(ShellError, match="what arrives is not what was sent; look at the network and that disk"):
        send(HostShell(spoil=True), tree, tmp_path / "machine/release")
    assert list((tmp_path / "machine").iterdir()) == []


def test_a_machine_without_room_is_told_before_anything_is_sent(tree: Path, tmp_path: Path) -> None:
    shell = HostShell()
    with pytest.raises(QuotaExceeded, match=r"^there is no room for the release to worker/0: \d+ MB are free and \d+ "):
        send(shell, tree, tmp_path / "machine/release", room=2**60)
    assert not shell.sent


def test_it_is_packed_once_for_everybody_who_asks_at_the_same_time(tree: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        packed = list(pool.map(lambda _: pack_release(tree), range(8)))
    assert len({(each.path, each.sha256, each.path.stat().st_mtime_ns) for each in packed}) == 1


def test_what_was_packed_of_a_release_that_is_gone_goes_too(tree: Path) -> None:
    old = pack_release(tree)
    other = tree.with_name("1.2.4-demo")
    tree.rename(other)
    pack_release(other)
    assert not old.path.exists()


def test_a_bundle_without_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"holds no \.deb files"):
        pack_bundle(tmp_path, tmp_path)
