"""Key pairs: new ones, and the public half of any that an operator may have."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kubo_sdk.errors import AuthError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ssh import new_key_pair, public_key_of


def test_openssh_reads_a_new_pair(tmp_path: Path) -> None:
    private, public = new_key_pair("cluster demo")
    place = tmp_path / "key"
    place.touch(0o600)
    place.write_bytes(private.reveal_bytes())
    derived = subprocess.run(["ssh-keygen", "-y", "-f", str(place)], capture_output=True, text=True, check=True).stdout
    assert public.split()[:2] == derived.split()[:2]
    assert public.endswith(" cluster demo")


def test_no_two_pairs_are_equal() -> None:
    assert new_key_pair("a")[1].split()[1] != new_key_pair("a")[1].split()[1]


@pytest.mark.parametrize("kind", [("ed25519",), ("rsa", "-b", "2048"), ("rsa", "-b", "2048", "-m", "PEM"), ("ecdsa",)])
def test_the_public_half_of_what_ssh_keygen_makes(kind: tuple[str, ...], tmp_path: Path) -> None:
    place = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", *kind, "-f", str(place)], check=True)
    public = place.with_suffix(".pub").read_text().split()
    assert public_key_of(Secret(place.read_bytes())).split() == public[:2]


@pytest.mark.parametrize("text", ["", "hunter2", "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n"])
def test_what_is_no_private_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(AuthError) as caught:
        public_key_of(Secret(text))
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "hunter2", "-t", "ed25519", "-f", str(place)], check=True)
    with pytest.raises(AuthError, match="without a passphrase"):
        public_key_of(Secret(place.read_bytes()))


def test_the_comment_is_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        new_key_pair("two\nlines")
