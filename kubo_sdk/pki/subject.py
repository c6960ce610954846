"""Checks what a certificate shall say and puts it into X.509's terms.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubo_sdk.errors import ConfigError
from kubo_sdk.ports.credentials import CertificateParameters

LONGEST_NAME = 64
LONGEST_DNS_NAME = 253
LONGEST_DURATION = 36500

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_USAGES = ("digital_signature", "key_encipherment", "key_cert_sign", "crl_sign")
_EXTENDED_USAGES = {"server_auth": ExtendedKeyUsageOID.SERVER_AUTH, "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH}


def check(parameters: CertificateParameters) -> None:
    """ConfigError with every problem of *parameters*."""
    name = parameters.common_name or parameters.organization
    checks = (_name_problems, _alternative_problems, _usage_problems, _term_problems)
    problems = [f"certificate {name!r}: {problem}" for find in checks for problem in find(parameters)]
    if problems:
        raise ConfigError(problems)


def distinguished_name(parameters: CertificateParameters) -> x509.Name:
    """Organization, then common name."""
    parts = (
        (NameOID.ORGANIZATION_NAME, parameters.organization),
        (NameOID.COMMON_NAME, parameters.common_name),
    )
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text is not None])


def general_names(parameters: CertificateParameters) -> list[x509.GeneralName]:
    """The alternative names: what reads as an IP address is one, all others are DNS names."""
    return [_general_name(name) for name in dict.fromkeys(parameters.alternative_names)]


def key_usage(parameters: CertificateParameters) -> x509.KeyUsage:
    """The usages asked for.  With none asked for, a CA signs certificates and lists, all others sign."""
    default = ("key_cert_sign", "crl_sign") if parameters.is_ca else ("digital_signature",)
    granted = set(parameters.key_usage or default)
    return x509.KeyUsage(
        digital_signature="digital_signature" in granted,
        key_encipherment="key_encipherment" in granted,
        key_cert_sign="key_cert_sign" in granted,
        crl_sign="crl_sign" in granted,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def extended_key_usage(parameters: CertificateParameters) -> x509.ExtendedKeyUsage | None:
    """The extended usages asked for, or None."""
    usages = [_EXTENDED_USAGES[usage] for usage in dict.fromkeys(parameters.extended_key_usage)]
    return x509.ExtendedKeyUsage(usages) if usages else None


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _name_problems(parameters: CertificateParameters) -> Iterator[str]:
    if parameters.common_name is None and parameters.organization is None:
        yield "it names nobody; give it a common name or an organization"
    for what, name in (("common name", parameters.common_name), ("organization", parameters.organization)):
        if name is not None and not 1 <= len(name) <= LONGEST_NAME:
            yield f"the {what} must have 1 to {LONGEST_NAME} characters, not {len(name)}"


def _alternative_problems(parameters: CertificateParameters) -> Iterator[str]:
    for name in parameters.alternative_names:
        if _address(name) is None and not (_DNS_NAME.fullmatch(name) and len(name) <= LONGEST_DNS_NAME):
            yield f"the alternative name {name!r} is neither a DNS name nor an IP address"


def _usage_problems(parameters: CertificateParameters) -> Iterator[str]:
    for what, asked, known in (
        ("key usage", parameters.key_usage, _USAGES),
        ("extended key usage", parameters.extended_key_usage, tuple(_EXTENDED_USAGES)),
    ):
        for usage in asked:
            if usage not in known:
                yield f"there is no {what} {usage!r}; choose from {', '.join(known)}"


def _term_problems(parameters: CertificateParameters) -> Iterator[str]:
    if not 1 <= parameters.duration_days <= LONGEST_DURATION:
        yield f"it must last 1 to {LONGEST_DURATION} days, not {parameters.duration_days}"
    if parameters.ca is None and not parameters.is_ca:
        yield "it needs a CA to sign it; name one in ca, or set is_ca"
