"""What CredHub can be asked to generate, with every parameter it knows, and what it cannot do.  Pure.

``problems`` finds what the server would refuse, or would take and do otherwise than was asked: it silently makes 30
characters of a length it does not like, and writes a comma in a name as the beginning of the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, ClassVar, Protocol

import attrs
from attrs import frozen

RSA_LENGTHS = (2048, 3072, 4096)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 4, 200
LONGEST_DURATION = 3650
LONGEST_NAMES = {
    "common_name": 64,
    "organization": 64,
    "organization_unit": 64,
    "locality": 128,
    "state": 128,
    "country": 2,
}
LONGEST_ALTERNATIVE = 253
KEY_USAGES = (
    "digital_signature", "non_repudiation", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
    "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
EXTENDED_KEY_USAGES = ("server_auth", "client_auth", "code_signing", "email_protection", "timestamping")
# The server joins the parts of a name with commas and escapes nothing.
SPECIAL = frozenset(',+"\\<>;=#')


class Order(Protocol):
    """One thing to generate."""

    type: ClassVar[str]

    def parameters(self) -> Mapping[str, Any]:
        """As they go over the wire; what is at the server's default is left out where that is safe."""
        ...

    def problems(self) -> Iterator[str]:
        """Why CredHub cannot make it: sentences that go on after its name."""
        ...


@frozen(kw_only=True)
class PasswordOrder:
    type: ClassVar[str] = "password"

    length: int = 30
    exclude_upper: bool = False
    exclude_lower: bool = False
    exclude_number: bool = False
    include_special: bool = False

    def parameters(self) -> Mapping[str, Any]:
        return attrs.asdict(self)

    def problems(self) -> Iterator[str]:
        if not SHORTEST_PASSWORD <= self.length <= LONGEST_PASSWORD:
            yield f"CredHub makes passwords of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, not {self.length}"
        if self.exclude_upper and self.exclude_lower and self.exclude_number and not self.include_special:
            yield "every class of characters is excluded; allow one"


@frozen(kw_only=True)
class UserOrder(PasswordOrder):
    type: ClassVar[str] = "user"

    username: str | None = None

    def parameters(self) -> Mapping[str, Any]:
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}


@frozen(kw_only=True)
class RsaOrder:
    type: ClassVar[str] = "rsa"

    key_length: int = 2048

    def parameters(self) -> Mapping[str, Any]:
        return attrs.asdict(self)

    def problems(self) -> Iterator[str]:
        yield from _length_problems(self.key_length)


@frozen(kw_only=True)
class SshOrder(RsaOrder):
    type: ClassVar[str] = "ssh"

    ssh_comment: str = ""

    def problems(self) -> Iterator[str]:
        yield from _length_problems(self.key_length)
        if not self.ssh_comment.isprintable():
            yield f"the SSH key comment {self.ssh_comment!r} must be one line of printable characters"


@frozen(kw_only=True)
class CertificateOrder:
    """``duration`` is in days.  One of ``ca``, ``is_ca`` and ``self_sign`` says who signs."""

    type: ClassVar[str] = "certificate"

    common_name: str | None = None
    organization: str | None = None
    organization_unit: str | None = None
    locality: str | None = None
    state: str | None = None
    country: str | None = None
    alternative_names: tuple[str, ...] = ()
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    key_length: int = 2048
    duration: int = 365
    ca: str | None = None
    is_ca: bool = False
    self_sign: bool = False

    def parameters(self) -> Mapping[str, Any]:
        """An empty list would become an empty extension, so it is left out."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in attrs.asdict(self).items()
            if value not in (None, (), False)
        }

    def problems(self) -> Iterator[str]:
        yield from self._subject_problems()
        yield from self._alternative_problems()
        yield from self._usage_problems()
        yield from _length_problems(self.key_length)
        if not 1 <= self.duration <= LONGEST_DURATION:
            yield f"CredHub makes certificates for 1 to {LONGEST_DURATION} days, not {self.duration}"
        if self.ca is None and not (self.is_ca or self.self_sign):
            yield "it needs a CA to sign it; name one in ca, or set is_ca"
        if self.ca is not None and self.self_sign:
            yield "ca and self_sign exclude each other; give one"

    def _subject_problems(self) -> Iterator[str]:
        given = {name: getattr(self, name) for name in LONGEST_NAMES if getattr(self, name) is not None}
        if not given:
            yield "it names nobody; give it a common name or an organization"
        for name, text in given.items():
            word = name.replace("_", " ")
            if not isinstance(text, str):
                yield f"CredHub puts one {word} into a certificate, not {len(text)}; give a single one"
            elif not 1 <= len(text) <= LONGEST_NAMES[name]:
                yield f"the {word} must have 1 to {LONGEST_NAMES[name]} characters, not {len(text)}"
            elif SPECIAL.intersection(text):
                yield (
                    f"the {word} {text!r} would become several names in CredHub, which takes one; leave out "
                    + " ".join(sorted(SPECIAL.intersection(text)))
                )

    def _alternative_problems(self) -> Iterator[str]:
        for name in self.alternative_names:
            if len(name) > LONGEST_ALTERNATIVE or not (_is_address(name) or _is_host(name)):
                yield f"the alternative name {name!r} is neither a DNS name nor an IP address"

    def _usage_problems(self) -> Iterator[str]:
        for what, asked, known in (
            ("key usage", self.key_usage, KEY_USAGES),
            ("extended key usage", self.extended_key_usage, EXTENDED_KEY_USAGES),
        ):
            for usage in asked:
                if usage not in known:
                    yield f"CredHub knows no {what} {usage!r}; choose from {', '.join(known)}"


def _length_problems(key_length: int) -> Iterator[str]:
    if key_length not in RSA_LENGTHS:
        lengths = ", ".join(str(length) for length in RSA_LENGTHS)
        yield f"CredHub makes RSA keys of {lengths} bits and no others, so not {key_length!r}"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_host(name: str) -> bool:
    labels = name.removeprefix("*.").split(".")
    letters = all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in "".join(labels))
    return letters and all(label and not label.startswith("-") and not label.endswith("-") for label in labels)
