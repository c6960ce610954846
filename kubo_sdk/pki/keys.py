"""Makes, writes and reads private keys."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kubo_sdk.errors import ConfigError, ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.ports.credentials import KeyPair, RsaParameters, SshParameters

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

RSA_LENGTHS = (2048, 3072, 4096)
_RSA_EXPONENT = 65537
_CURVES: dict[KeyAlgorithm, ec.EllipticCurve] = {
    KeyAlgorithm.ECDSA_P256: ec.SECP256R1(),
    KeyAlgorithm.ECDSA_P384: ec.SECP384R1(),
}


def make_key(algorithm: KeyAlgorithm) -> PrivateKey:
    """A new private key."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(_RSA_EXPONENT, int(algorithm.removeprefix("rsa-")))


def private_pem(key: PrivateKey) -> Secret:
    """The key as PEM: PKCS#1 for RSA, which is what CredHub gives, PKCS#8 for all others."""
    form = PrivateFormat.TraditionalOpenSSL if isinstance(key, rsa.RSAPrivateKey) else PrivateFormat.PKCS8
    return Secret(key.private_bytes(Encoding.PEM, form, NoEncryption()))


def load_private_key(pem: Secret, owner: str) -> PrivateKey:
    """Read a PKCS#1, PKCS#8 or SEC 1 key.  *owner* names it in the ProviderError raised when it cannot be used."""
    try:
        key = load_pem_private_key(pem.reveal_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PrivateKey):
        raise ProviderError(
            f"the private key of {owner} cannot be read; give an unencrypted PEM key: RSA, ECDSA or Ed25519"
        )
    return key


def same_key(one: object, other: object) -> bool:
    """Whether two public keys are the same.  False for a key of a sort that is not used here."""
    if not isinstance(one, PublicKey) or not isinstance(other, PublicKey):
        return False
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return one.public_bytes(*form) == other.public_bytes(*form)


def rsa_pair(parameters: RsaParameters) -> KeyPair:
    """An RSA key pair: PKCS#1 private key, SubjectPublicKeyInfo public key."""
    if parameters.key_length not in RSA_LENGTHS:
        lengths = ", ".join(str(length) for length in RSA_LENGTHS)
        raise ConfigError([f"an RSA key of {parameters.key_length} bits cannot be made; choose one of {lengths}"])
    key = rsa.generate_private_key(_RSA_EXPONENT, parameters.key_length)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(public_key=public.decode(), private_key=private_pem(key))


def ssh_pair(parameters: SshParameters) -> KeyPair:
    """An Ed25519 key pair in OpenSSH's own formats; the comment ends the public key's line."""
    if not parameters.comment.isprintable():
        raise ConfigError([f"the SSH key comment {parameters.comment!r} must be one line of printable characters"])
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    private = Secret(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return KeyPair(public_key=f"{public} {parameters.comment}".rstrip(), private_key=private)
