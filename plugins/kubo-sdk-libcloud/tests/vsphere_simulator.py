"""A vCenter to test against: VMware's own simulator, compiled once from Debian's packages."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

SOURCE = Path(__file__).parent / "vcsim" / "main.go"
LIBRARY = Path("/usr/share/gocode/src/github.com/vmware/govmomi")
BUILD_SECONDS = 600


@frozen(kw_only=True)
class Simulator:
    """One vCenter; user ``user`` with password ``pass``, and one virtual machine ``/DC0/vm/DC0_H0_VM0``."""

    port: int
    ca_file: Path


def can_be_built() -> bool:
    return LIBRARY.is_dir() and shutil.which("go") is not None


def program(cache: Path) -> Path:
    """The simulator, compiled when its source or the compiler is another than before."""
    compiler = subprocess.run(["go", "version"], check=True, capture_output=True).stdout
    digest = hashlib.sha256(SOURCE.read_bytes() + compiler).hexdigest()[:16]
    made = cache / "vcsim" / digest / "vcsim"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        fresh = made.with_name(f"vcsim.{os.getpid()}")
        variables = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "CGO_ENABLED": "0"}
        variables["GOCACHE"] = str(made.parent / "build")
        command = ["go", "build", "-o", str(fresh), SOURCE.name]
        subprocess.run(command, cwd=SOURCE.parent, env={**os.environ, **variables}, check=True, timeout=BUILD_SECONDS)
        fresh.replace(made)
        shutil.rmtree(made.parent / "build")
    return made


@contextmanager
def simulator(command: Path, directory: Path) -> Iterator[Simulator]:
    """Run one that is gone after the block."""
    certificate, key = _identity(directory)
    with subprocess.Popen([command, "127.0.0.1:0", certificate, key], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            host = process.stdout.readline().strip()
            yield Simulator(port=int(host.rpartition(":")[2]), ca_file=certificate)
        finally:
            process.kill()


def _identity(directory: Path) -> tuple[Path, Path]:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vcsim")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "vcsim.pem", directory / "vcsim.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, private
