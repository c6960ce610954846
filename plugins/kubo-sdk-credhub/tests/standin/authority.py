"""The certificates the stand-in itself and its clients show: one authority, servers on the loopback, apps."""

from __future__ import annotations

import datetime
import ipaddress
import uuid
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)


def name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


class Authority:
    """Signs what it is asked to."""

    def __init__(self, common_name: str = "stand-in authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name((NameOID.COMMON_NAME, common_name))
        self.certificate = self._sign(self.name, self.key.public_key(), is_ca=True)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def server(self, directory: Path, *, life: datetime.timedelta = DAY) -> Path:
        """One file with the certificate and the key of a server on the loopback."""
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return self._issue(directory / "server.pem", name((NameOID.COMMON_NAME, "server")), SERVER, names, life)

    def app(self, directory: Path, unit: str | None = None, *, file: str = "app.pem") -> Path:
        """One file with the certificate and the key of an app that CredHub knows by its organizational unit."""
        unit = f"app:{uuid.uuid4()}" if unit is None else unit
        subject = name((NameOID.ORGANIZATIONAL_UNIT_NAME, unit), (NameOID.COMMON_NAME, "app"))
        return self._issue(directory / file, subject, CLIENT, [], DAY)

    def _issue(
        self,
        path: Path,
        subject: x509.Name,
        usages: tuple[x509.ObjectIdentifier, ...],
        names: list[x509.GeneralName],
        life: datetime.timedelta,
    ) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(subject, key.public_key(), usages=usages, names=names, life=life)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
        return path

    def _sign(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        *,
        is_ca: bool = False,
        usages: tuple[x509.ObjectIdentifier, ...] = (),
        names: list[x509.GeneralName] | None = None,
        life: datetime.timedelta = DAY,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + life)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, SHA256())
