"""Makes values as CredHub does: RSA alone, one of each name, valid from now on, PKCS#1 keys."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import secrets
import string
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import words
from .words import Refused

SPECIAL = "!#$%&()*,-./:;<=>?@[\\]^_`{|}~"
STRING_KEYS = {"length", "exclude_upper", "exclude_lower", "exclude_number", "include_special"}
CERTIFICATE_KEYS = {
    "common_name", "organization", "organization_unit", "locality", "state", "country", "alternative_names",
    "key_usage", "extended_key_usage", "key_length", "duration", "ca", "is_ca", "self_sign",
}  # fmt: skip
KNOWN = {
    "password": STRING_KEYS,
    "user": STRING_KEYS | {"username"},
    "rsa": {"key_length"},
    "ssh": {"key_length", "ssh_comment"},
    "certificate": CERTIFICATE_KEYS,
}
# In the order the server builds a name in.
SUBJECT = {
    "locality": (NameOID.LOCALITY_NAME, 128),
    "organization": (NameOID.ORGANIZATION_NAME, 64),
    "state": (NameOID.STATE_OR_PROVINCE_NAME, 128),
    "country": (NameOID.COUNTRY_NAME, 2),
    "organization_unit": (NameOID.ORGANIZATIONAL_UNIT_NAME, 64),
    "common_name": (NameOID.COMMON_NAME, 64),
}
KEY_USAGES = {
    "digital_signature": "digital_signature",
    "non_repudiation": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "key_cert_sign": "key_cert_sign",
    "crl_sign": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
EXTENDED = {
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
}


def random_text(parameters: dict[str, Any]) -> str:
    length = parameters.get("length", 30)
    length = length if isinstance(length, int) and 4 <= length <= 200 else 30
    classes = [
        string.ascii_uppercase if not parameters.get("exclude_upper") else "",
        string.ascii_lowercase if not parameters.get("exclude_lower") else "",
        string.digits if not parameters.get("exclude_number") else "",
        SPECIAL if parameters.get("include_special") else "",
    ]
    wanted = [letters for letters in classes if letters]
    if not wanted:
        raise Refused(400, words.CHARSETS)
    letters = [secrets.choice(letters) for letters in wanted for _ in range(2)][:length]
    letters += [secrets.choice("".join(wanted)) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def sha512_crypt(password: str) -> str:
    """In the form of crypt(3)'s SHA-512 scheme; nobody verifies it here."""
    salt = secrets.token_hex(4)
    return f"$6${salt}${base64.b64encode(hashlib.sha512((salt + password).encode()).digest()).decode()}"


def key_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def make_key(parameters: dict[str, Any]) -> rsa.RSAPrivateKey:
    length = parameters.get("key_length", 2048)
    if length not in (2048, 3072, 4096):
        raise Refused(400, words.KEY_LENGTH)
    return rsa.generate_private_key(65537, length)


def rsa_value(parameters: dict[str, Any]) -> dict[str, str]:
    key = make_key(parameters)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return {"public_key": public, "private_key": key_pem(key)}


def ssh_value(parameters: dict[str, Any]) -> dict[str, str]:
    key = make_key(parameters)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return {"public_key": f"{public} {parameters.get('ssh_comment', '')}".rstrip(), "private_key": key_pem(key)}


def fingerprint(public_key: str) -> str | None:
    parts = (public_key or "").split()
    if len(parts) < 2:
        return None
    return base64.b64encode(hashlib.sha256(base64.b64decode(parts[1])).digest()).decode().rstrip("=")


def check_certificate(parameters: dict[str, Any]) -> None:
    """What the server refuses before it makes anything."""
    if not any(parameters.get(key) for key in SUBJECT):
        raise Refused(400, words.NO_SUBJECT)
    for key, (_, longest) in SUBJECT.items():
        if len(parameters.get(key) or "") > longest:
            raise Refused(400, f"The request could not be completed because the {key} is too long.")
    if parameters.get("ca") and parameters.get("self_sign"):
        raise Refused(400, words.CA_AND_SELF_SIGN)
    if not (parameters.get("ca") or parameters.get("self_sign") or parameters.get("is_ca")):
        raise Refused(400, words.NO_CA)
    duration = parameters.get("duration", 365)
    if not isinstance(duration, int) or not 1 <= duration <= 3650:
        raise Refused(400, words.DURATION)
    for key, known in (("key_usage", KEY_USAGES), ("extended_key_usage", EXTENDED)):
        for usage in parameters.get(key) or ():
            if usage not in known:
                raise Refused(400, f"The provided {key.replace('_', ' ')} '{usage}' is not supported.")
    alternative_names(parameters)


def alternative_names(parameters: dict[str, Any]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for text in parameters.get("alternative_names") or ():
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            if len(text) > 253 or not re.fullmatch(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", text):
                raise Refused(400, words.ALTERNATIVE) from None
            names.append(x509.DNSName(text))
    return names


def certificate(parameters: dict[str, Any], now: datetime, signer: tuple[str, str] | None) -> tuple[str, str]:
    """A new certificate and its key, PEM; *signer* is the certificate and the key of the CA, None signs itself."""
    key = make_key(parameters)
    subject = x509.Name(
        [x509.NameAttribute(oid, parameters[each]) for each, (oid, _) in SUBJECT.items() if parameters.get(each)]
    )
    issuer_name, issuer_key, identifier = subject, key, x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    if signer is not None:
        issuer = x509.load_pem_x509_certificate(signer[0].encode())
        issuer_name = issuer.subject
        loaded = load_pem_private_key(signer[1].encode(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        issuer_key = loaded
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    start = now.replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=parameters.get("duration", 365)))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .add_extension(x509.BasicConstraints(ca=bool(parameters.get("is_ca")), path_length=None), critical=True)
    )
    names = alternative_names(parameters)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if parameters.get("key_usage"):
        builder = builder.add_extension(_usage(parameters["key_usage"]), critical=True)
    if parameters.get("extended_key_usage"):
        usages = [EXTENDED[usage] for usage in parameters["extended_key_usage"]]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    made = builder.sign(issuer_key, SHA256())
    return made.public_bytes(Encoding.PEM).decode(), key_pem(key)


def _usage(asked: list[str]) -> x509.KeyUsage:
    granted = {KEY_USAGES[usage] for usage in asked}
    return x509.KeyUsage(**{name: name in granted for name in KEY_USAGES.values()})


def parameters_of(pem: str) -> dict[str, Any]:
    """What a certificate was made from, read from itself, as the server does to compare and to regenerate."""
    read = x509.load_pem_x509_certificate(pem.encode())
    oids = {oid: key for key, (oid, _) in SUBJECT.items()}
    found: dict[str, Any] = {oids[part.oid]: part.value for part in read.subject if part.oid in oids}
    found["key_length"] = read.public_key().key_size  # type: ignore[union-attr]
    found["duration"] = (read.not_valid_after_utc - read.not_valid_before_utc).days
    found["is_ca"] = is_authority(read)
    for extension in read.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            found["alternative_names"] = [str(each.value) for each in extension.value]
        if isinstance(extension.value, x509.KeyUsage):
            found["key_usage"] = sorted(usage for usage in KEY_USAGES if _says(extension.value, KEY_USAGES[usage]))
        if isinstance(extension.value, x509.ExtendedKeyUsage):
            words_of = {oid: word for word, oid in EXTENDED.items()}
            found["extended_key_usage"] = [words_of[oid] for oid in extension.value if oid in words_of]
    return found


def _says(usage: x509.KeyUsage, name: str) -> bool:
    if name in ("encipher_only", "decipher_only") and not usage.key_agreement:
        return False
    return bool(getattr(usage, name))


def is_authority(read: x509.Certificate) -> bool:
    try:
        return bool(read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def is_signed_by(pem: str, ca: str) -> bool:
    """The first certificate of *ca* alone is looked at, and its key alone, as the server does."""
    read, authority = (x509.load_pem_x509_certificate(each.encode()) for each in (pem, ca))
    key = authority.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(read.signature, read.tbs_certificate_bytes, padding.PKCS1v15(), read.signature_hash_algorithm)  # type: ignore[arg-type]
    except Exception:
        return False
    return True
