"""An authority, and certificates of it as files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.authority import issue
from kubo_sdk.ports.credentials import CertificateParameters


class Files(NamedTuple):
    """Paths of PEM files."""

    ca: str
    certificate: str
    key: str


class Authority:
    """Writes below *directory*."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        usage = ("key_cert_sign", "crl_sign")
        parameters = CertificateParameters(common_name=name, is_ca=True, key_usage=usage)
        self._value = issue(parameters, now=datetime.now(UTC))
        self.ca = self._write(f"{name}-ca.pem", self._value.certificate)

    def leaf(self, name: str, *addresses: str, organization: str | None = None) -> Files:
        """One that serves and asks."""
        parameters = CertificateParameters(
            common_name=name,
            organization=organization,
            alternative_names=addresses,
            extended_key_usage=("server_auth", "client_auth"),
            ca="ca",
        )
        made = issue(parameters, ca=self._value, now=datetime.now(UTC))
        stem = f"{name.replace(':', '-')}-{len(list(self._directory.iterdir()))}"
        return Files(
            self.ca, self._write(f"{stem}.pem", made.certificate), self._write(f"{stem}.key", made.private_key)
        )

    def _write(self, name: str, content: str | Secret) -> str:
        path = self._directory / name
        path.write_text(content.reveal() if isinstance(content, Secret) else content)
        return str(path)
