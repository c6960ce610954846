"""Generation: lets CredHub make what is asked for, and keeps what may stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import frozen
from cryptography.exceptions import InvalidSignature

from kubo_sdk.errors import Conflict, NotFound, ProviderError
from kubo_sdk.pki.certificates import load_bundle
from kubo_sdk.pki.converge import differs
from kubo_sdk.pki.generate import kind_of
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    Credential,
    Kind,
    Mode,
    Parameters,
)
from kubo_sdk_credhub.api.answers import Version
from kubo_sdk_credhub.api.client import CredhubClient
from kubo_sdk_credhub.api.credentials import WriteMode
from kubo_sdk_credhub.api.orders import Order
from kubo_sdk_credhub.keeping.marks import MADE_HERE, origin
from kubo_sdk_credhub.keeping.reading import credential, in_use, kind_of_version, signing, transitional
from kubo_sdk_credhub.keeping.writing import order_of

# CredHub dates certificates from the second it makes them, and tokens may be that far off as well.
CLOCK_TOLERANCE = timedelta(seconds=60)


@frozen(kw_only=True)
class Generation:
    """*current* gives the versions of a name that are in use, none where there is no such credential."""

    client: CredhubClient
    current: Callable[[str], tuple[Version, ...]]
    now: Callable[[], datetime]
    key_length: int

    def generate(self, name: str, parameters: Parameters, mode: Mode) -> Credential:
        """The credential that may stay, or a new version.  Conflict when the name holds another kind."""
        order = order_of(name, parameters, self.key_length)
        current = self.current(name)
        require_kind(current, kind_of(parameters))
        if current and mode is not Mode.OVERWRITE:
            stays = mode is Mode.NO_OVERWRITE or self._stays(current, parameters)
            if stays:
                return in_use(current)
            if stays is False:
                mode = Mode.OVERWRITE
        version = self._ask(name, order, parameters, WriteMode(mode.value))
        made = credential(version)
        self._check_clock(made)
        return made

    def _stays(self, current: Sequence[Version], wanted: Parameters) -> bool | None:
        """Whether it may stay, None where CredHub itself knows: it remembers what it made."""
        known = origin(signing(current))
        if not known.generated or transitional(current) is not None:
            return True
        if known.parameters is None:
            return None
        return not differs(known.parameters, wanted) and self._is_signed_now(signing(current), wanted)

    def _is_signed_now(self, version: Version, wanted: Parameters) -> bool:
        """Whether the version of the CA that signs now signed it."""
        if not isinstance(wanted, CertificateParameters) or wanted.ca is None:
            return True
        authority = self.current(wanted.ca)
        return bool(authority) and is_issued_by(credential(version), credential(signing(authority)))

    def _ask(self, name: str, order: Order, parameters: Parameters, mode: WriteMode) -> Version:
        try:
            return self.client.credentials.generate(name, order, mode, MADE_HERE)
        except NotFound:
            if not isinstance(parameters, CertificateParameters) or parameters.ca is None:
                raise
            raise NotFound(
                f"the CA {parameters.ca} of {name} is not in CredHub {self.client.exchange.url}, or "
                f"{self.client.exchange.actor} may not read it; generate it first"
            ) from None

    def _check_clock(self, made: Credential) -> None:
        if not isinstance(made.value, Certificate):
            return
        ahead = load_bundle(made.value.certificate, made.name)[0].not_valid_before_utc - self.now()
        if ahead > CLOCK_TOLERANCE:
            raise ProviderError(
                f"CredHub {self.client.exchange.url} made {made.name}, which is valid only in "
                f"{ahead.total_seconds():.0f} s by this host's clock, so machines would refuse it; set the clocks of "
                "CredHub, this host and the machines right, and run the same again when it is valid"
            )


def require_kind(current: Sequence[Version], kind: Kind) -> None:
    """Conflict when the versions in use are of another kind."""
    if current and kind_of_version(current[0]) is not kind:
        raise Conflict(f"{current[0].name} is a {current[0].type}, not a {kind}; delete it first")


def is_issued_by(leaf: Credential, authority: Credential) -> bool:
    """Whether the certificate of *authority* signed that of *leaf*."""
    if not (isinstance(leaf.value, Certificate) and isinstance(authority.value, Certificate)):
        return False
    own = load_bundle(leaf.value.certificate, leaf.name)[0]
    try:
        own.verify_directly_issued_by(load_bundle(authority.value.certificate, authority.name)[0])
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def waves(requests: Sequence[tuple[str, Parameters]]) -> list[list[int]]:
    """The numbers of *requests*, parted so that none of a part needs another of the same part."""
    parts: list[list[int]] = []
    busy: set[str] = set()
    for number, (name, parameters) in enumerate(requests):
        needs = {name.lower()}
        if isinstance(parameters, CertificateParameters) and parameters.ca:
            needs.add(parameters.ca.lower())
        # Signing keeps nobody else from being signed; only what is made in this part has to be waited for.
        if not parts or busy & needs:
            parts.append([])
            busy = set()
        parts[-1].append(number)
        busy.add(name.lower())
    return parts
