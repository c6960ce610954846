"""Keys: what is made can be read by others, and what others make can be read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from kubo_sdk.errors import ConfigError, ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.keys import load_private_key, make_key, private_pem, rsa_pair, same_key, ssh_pair
from kubo_sdk.ports.credentials import RsaParameters, SshParameters

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_2048])
def test_a_made_key_is_written_and_read_again(algorithm: KeyAlgorithm) -> None:
    key = make_key(algorithm)
    assert same_key(load_private_key(private_pem(key), "it").public_key(), key.public_key())
    assert str(key.key_size) in algorithm


@pytest.mark.parametrize(
    ("key", "form", "first_line"),
    [
        (RSA_KEY, PrivateFormat.TraditionalOpenSSL, b"RSA PRIVATE KEY"),
        (RSA_KEY, PrivateFormat.PKCS8, b"PRIVATE KEY"),
        (EC_KEY, PrivateFormat.TraditionalOpenSSL, b"EC PRIVATE KEY"),
        (EC_KEY, PrivateFormat.PKCS8, b"PRIVATE KEY"),
        (ED_KEY, PrivateFormat.PKCS8, b"PRIVATE KEY"),
    ],
    ids=["PKCS#1", "PKCS#8 RSA", "SEC 1", "PKCS#8 EC", "PKCS#8 Ed25519"],
)
def test_every_usual_form_of_key_is_read(key, form, first_line: bytes) -> None:
    pem = key.private_bytes(Encoding.PEM, form, NoEncryption())
    assert pem.startswith(b"-----BEGIN " + first_line)
    assert same_key(load_private_key(Secret(pem), "it").public_key(), key.public_key())


def test_a_key_as_openssl_ecparam_writes_it_is_read() -> None:
    made = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey"], capture_output=True, check=True)
    assert made.stdout.startswith(b"-----BEGIN EC PARAMETERS")
    assert isinstance(load_private_key(Secret(made.stdout), "it"), ec.EllipticCurvePrivateKey)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")),
        x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
    ids=["nothing", "text", "broken", "encrypted", "a key that cannot sign"],
)
def test_what_is_no_usable_key_is_refused_by_its_owners_name(pem: bytes) -> None:
    with pytest.raises(ProviderError, match=r"the private key of /kubo/demo/ca cannot be read"):
        load_private_key(Secret(pem), "/kubo/demo/ca")


def test_an_rsa_pair_belongs_together_and_is_pkcs1() -> None:
    pair = rsa_pair(RsaParameters(key_length=2048))
    assert pair.private_key.reveal().startswith("-----BEGIN RSA PRIVATE KEY-----")
    key = load_private_key(pair.private_key, "it")
    assert same_key(key.public_key(), load_pem_public_key(pair.public_key.encode()))


def test_an_rsa_length_that_is_weak_or_odd_is_refused() -> None:
    with pytest.raises(ConfigError, match="2048, 3072, 4096"):
        rsa_pair(RsaParameters(key_length=1024))


def test_an_ssh_pair_belongs_together_and_openssh_reads_it(tmp_path: Path) -> None:
    pair = ssh_pair(SshParameters(comment="kubo demo"))
    assert pair.public_key.startswith("ssh-ed25519 ")
    assert pair.public_key.endswith(" kubo demo")
    private = load_ssh_private_key(pair.private_key.reveal_bytes(), None)
    assert private.public_key() == load_ssh_public_key(pair.public_key.encode())
    file = tmp_path / "key"
    file.write_bytes(pair.private_key.reveal_bytes())
    file.chmod(0o600)
    shown = subprocess.run(["ssh-keygen", "-y", "-f", str(file)], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[:2] == pair.public_key.split()[:2]


def test_an_ssh_comment_cannot_begin_another_line() -> None:
    with pytest.raises(ConfigError, match="one line"):
        ssh_pair(SshParameters(comment="x\nssh-rsa AAAA"))
