"""TrustWatch: looks, at every event, whether anything on the machines shows what somebody else does not trust yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from attrs import define, field
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from kubo_sdk.events import Event
from kubo_sdk.nodes import paths
from kubo_sdk.nodes.apiserver import ENCRYPTION
from kubo_sdk.pki.certificates import is_authority
from kubo_sdk.planning.rotation import AUTHORITIES
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.testing.fakes import FakeMachine

from .fleet import Fleet


@define(kw_only=True)
class TrustWatch:
    """Append events to it.  ``problems`` is what was wrong; ``stages`` how many authorities were trusted at once."""

    there: Fleet
    problems: list[str] = field(factory=list)
    most: dict[str, int] = field(factory=dict)
    _known: dict[x509.Certificate, str] = field(factory=dict)
    _signers: dict[bytes, x509.Certificate | None] = field(factory=dict)

    def append(self, event: Event) -> None:
        self.there.events.append(event)
        if not self.there.cloud.faults.is_dead:
            self.look(type(event).__name__)

    def look(self, when: str) -> None:
        self._learn()
        machines = self.there.cloud.machines_of(self.there.spec.id)
        for family in AUTHORITIES:
            trusting = {f"{name}:{path}": held for name, path, held in self._bundles(machines, family)}
            self.most[family] = max([self.most.get(family, 0), *map(len, trusting.values())])
            for name, path, signer in self._leaves(machines, family):
                blind = [each for each, held in trusting.items() if signer not in held]
                if blind:
                    self.problems.append(f"{when}: {name}:{path} is signed by what {blind} do not trust")
        self._look_at_keys(machines, when)

    def trusted(self, family: str) -> set[x509.Certificate]:
        """Every authority of that family that any file of any machine holds."""
        machines = self.there.cloud.machines_of(self.there.spec.id)
        return {each for _, _, held in self._bundles(machines, family) for each in held}

    def shown(self, family: str) -> set[x509.Certificate]:
        """Every authority of that family that signed any certificate on any machine."""
        machines = self.there.cloud.machines_of(self.there.spec.id)
        return {signer for _, _, signer in self._leaves(machines, family)}

    def _look_at_keys(self, machines: dict[str, FakeMachine], when: str) -> None:
        masters = {name: machine.files for name, machine in machines.items() if ENCRYPTION in machine.files}
        used = {keys_of(files)[0] for files in masters.values()}
        for name, files in masters.items():
            if not used <= set(keys_of(files)):
                self.problems.append(f"{when}: {name} cannot read what another master encrypts")
            known = files[paths.SERVICE_ACCOUNT_PUBLIC_KEY]
            for other in masters.values():
                if public_of(other[paths.SERVICE_ACCOUNT_KEY]) not in known.replace(b"\n", b""):
                    self.problems.append(f"{when}: {name} does not know the key another master signs tokens with")

    def _learn(self) -> None:
        store, spec = self.there.cloud.store, self.there.spec
        for family in AUTHORITIES:
            for version in store._kept.get(spec.id.credential(family).lower(), []):
                value = version.credential.value
                assert isinstance(value, Certificate)
                self._known[x509.load_pem_x509_certificate(value.certificate.encode())] = family

    def _bundles(
        self, machines: dict[str, FakeMachine], family: str
    ) -> Iterator[tuple[str, str, set[x509.Certificate]]]:
        for name, path, found in certificates_on(machines):
            if is_authority(found[0]) and self._known.get(found[0]) == family:
                yield name, path, set(found)

    def _leaves(self, machines: dict[str, FakeMachine], family: str) -> Iterator[tuple[str, str, x509.Certificate]]:
        for name, path, found in certificates_on(machines):
            signer = None if is_authority(found[0]) else self._signer(found[0])
            if signer is not None and self._known[signer] == family:
                yield name, path, signer

    def _signer(self, leaf: x509.Certificate) -> x509.Certificate | None:
        print_ = leaf.signature
        if self._signers.get(print_) is None:
            self._signers[print_] = next((each for each in self._known if verifies(leaf, each)), None)
        return self._signers[print_]


_parsed: dict[bytes, list[x509.Certificate]] = {}


def certificates_on(machines: dict[str, FakeMachine]) -> Iterator[tuple[str, str, list[x509.Certificate]]]:
    for name, machine in machines.items():
        for path, content in tuple(machine.files.items()):
            if path.endswith(".crt") and b"BEGIN CERTIFICATE" in content:
                if content not in _parsed:
                    _parsed[content] = x509.load_pem_x509_certificates(content)
                yield name, path, _parsed[content]


def verifies(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def keys_of(files: dict[str, bytes]) -> list[bytes]:
    return re.findall(rb"name: (key-[0-9a-f]+)", files[ENCRYPTION])


@lru_cache
def public_of(private: bytes) -> bytes:
    key = load_pem_private_key(private, None).public_key()
    text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return b"".join(text.splitlines())
