"""Sealed files open with their key and unaltered, or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from kubo_sdk.backup.keys import BackupKey, KeyFile, Passphrase
from kubo_sdk.backup.sealing import CHUNK_BYTES, SealingWriter, unsealed
from kubo_sdk.errors import AuthError, KuboError, ProviderError
from kubo_sdk.model.secret import Secret

PASSPHRASE = Passphrase(variable="P", environment={"P": "a long passphrase of several words"})


@frozen
class Given:
    """A key that costs nothing to derive."""

    name: str = "the key"

    def new(self) -> tuple[dict[str, Any], Secret]:
        return {"key": "given"}, self.of({})

    def of(self, _about: Mapping[str, Any]) -> Secret:
        return Secret(b"k" * 32)


KEY = Given()


def sealed(plain: bytes, key: BackupKey = KEY, piece: int = 300_000) -> bytes:
    out = bytearray()
    writer = SealingWriter(out.extend, key)
    for start in range(0, len(plain), piece):
        writer.write(plain[start : start + piece])
    writer.finish()
    return bytes(out)


def opened(whole: bytes, key: BackupKey = KEY, piece: int = 70_000) -> bytes:
    pieces = (whole[start : start + piece] for start in range(0, len(whole), piece))
    return b"".join(unsealed(pieces, key, "it"))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_was_sealed_comes_out_again(size: int) -> None:
    plain = os.urandom(size)
    whole = sealed(plain)
    assert opened(whole) == plain
    assert size < 64 or plain[:64] not in whole


def test_no_two_files_are_alike() -> None:
    assert sealed(b"the same")[-24:] != sealed(b"the same")[-24:]


@pytest.fixture(scope="module")
def whole() -> bytes:
    return sealed(b"".join(bytes([number]) * 1000 for number in range(250)) * 9)


@settings(deadline=None, max_examples=25)
@given(share=st.floats(min_value=0, max_value=1, exclude_max=True))
def test_a_file_cut_anywhere_does_not_open(whole: bytes, share: float) -> None:
    with pytest.raises(ProviderError):
        opened(whole[: int(len(whole) * share)])


def test_a_file_cut_between_two_chunks_does_not_open(whole: bytes) -> None:
    head = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    with pytest.raises(ProviderError, match=r"cut short"):
        opened(whole[: head + CHUNK_BYTES + 16])


@settings(deadline=None, max_examples=25)
@given(share=st.floats(min_value=0, max_value=1, exclude_max=True), bit=st.integers(0, 7))
def test_a_file_with_one_bit_flipped_does_not_open(whole: bytes, share: float, bit: int) -> None:
    place = int(len(whole) * share)
    with pytest.raises(KuboError):
        opened(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])


def test_chunks_cannot_change_places(whole: bytes) -> None:
    head = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    size = CHUNK_BYTES + 16
    first, second, rest = whole[head : head + size], whole[head + size : head + 2 * size], whole[head + 2 * size :]
    with pytest.raises(ProviderError, match=r"altered"):
        opened(whole[:head] + second + first + rest)


def test_another_passphrase_is_told_as_such() -> None:
    other = Passphrase(variable="P", environment={"P": "another"})
    with pytest.raises(AuthError, match=r"sealed with another key than the passphrase in P"):
        opened(sealed(b"it", PASSPHRASE), other)


def test_a_passphrase_opens_what_it_sealed() -> None:
    assert opened(sealed(b"it", PASSPHRASE), PASSPHRASE) == b"it"


def test_a_passphrase_that_is_not_there_is_told() -> None:
    with pytest.raises(AuthError, match=r"the environment variable P is not set"):
        sealed(b"it", Passphrase(variable="P", environment={}))


def test_a_key_file_is_made_once_for_its_owner_alone_and_opens_what_it_sealed(tmp_path: Path) -> None:
    key = KeyFile(path=tmp_path / "below" / "backup.key")
    first = sealed(b"one", key)
    assert key.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.path.parent.iterdir()] == ["backup.key"]
    second = sealed(b"two", key)
    assert (opened(first, key), opened(second, key)) == (b"one", b"two")


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    key = KeyFile(path=tmp_path / "backup.key")
    whole = sealed(b"one", key)
    key.path.chmod(0o644)
    with pytest.raises(AuthError, match=r"chmod 600"):
        opened(whole, key)


def test_a_key_file_that_is_gone_or_empty_is_never_made_anew_for_opening(tmp_path: Path) -> None:
    key = KeyFile(path=tmp_path / "backup.key")
    whole = sealed(b"one", key)
    key.path.write_bytes(b"")
    with pytest.raises(AuthError, match=r"holds no key; put it back"):
        opened(whole, key)
    key.path.unlink()
    with pytest.raises(AuthError, match=r"no backup opens without it"):
        opened(whole, key)
    assert not key.path.exists()


def test_a_key_file_and_a_passphrase_are_not_mixed_up(tmp_path: Path) -> None:
    key = KeyFile(path=tmp_path / "backup.key")
    with pytest.raises(AuthError, match=r"sealed with a key file; name it with backup.key_file"):
        opened(sealed(b"one", key), PASSPHRASE)
    with pytest.raises(AuthError, match=r"sealed with a passphrase; name it with backup.key_env"):
        opened(sealed(b"one", PASSPHRASE), key)
