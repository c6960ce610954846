"""Whether what is stored is still what is wished for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.authority import issue
from kubo_sdk.pki.renewal import is_due
from kubo_sdk.pki.satisfaction import satisfies
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    Credential,
    Kind,
    PasswordParameters,
    Text,
)

NOW = datetime.now(UTC)
CA = CertificateParameters(common_name="ca", is_ca=True, key_usage=("key_cert_sign", "crl_sign"))
LEAF = CertificateParameters(
    common_name="server",
    organization="people",
    alternative_names=("10.0.0.1", "server.example"),
    extended_key_usage=("server_auth",),
    ca="/d/c/ca",
)


def credential(name: str, value: Certificate) -> Credential:
    return Credential(name=name, kind=Kind.CERTIFICATE, version="1", created_at=NOW, value=value)


@pytest.fixture
def stored() -> dict[str, Credential]:
    authority = issue(CA, now=NOW, algorithm=KeyAlgorithm.ECDSA_P256)
    leaf = issue(LEAF, now=NOW, algorithm=KeyAlgorithm.ECDSA_P256, ca=authority)
    return {"ca": credential("/d/c/ca", authority), "leaf": credential("/d/c/leaf", leaf)}


def test_what_was_made_as_wished_satisfies(stored: dict[str, Credential]) -> None:
    assert satisfies(stored["leaf"], LEAF, stored)
    assert satisfies(stored["ca"], CA, stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"common_name": "other"},
        {"organization": None},
        {"alternative_names": ("10.0.0.1",)},
        {"alternative_names": ("10.0.0.1", "server.example", "more.example")},
        {"extended_key_usage": ("server_auth", "client_auth")},
    ],
)
def test_another_wish_is_not_satisfied(stored: dict[str, Credential], changes: dict[str, object]) -> None:
    assert not satisfies(stored["leaf"], attrs.evolve(LEAF, **changes), stored)


def test_a_longer_life_alone_is_no_new_wish(stored: dict[str, Credential]) -> None:
    assert satisfies(stored["leaf"], attrs.evolve(LEAF, duration_days=700), stored)


def test_a_certificate_of_an_older_authority_is_outdated(stored: dict[str, Credential]) -> None:
    newer = credential("/d/c/ca", issue(CA, now=NOW, algorithm=KeyAlgorithm.ECDSA_P256))
    assert not satisfies(stored["leaf"], LEAF, {**stored, "ca": newer})
    assert not satisfies(stored["leaf"], LEAF, {"leaf": stored["leaf"]})


def test_what_a_person_put_there_stays(stored: dict[str, Credential]) -> None:
    own = attrs.evolve(stored["leaf"], generated=False)
    assert satisfies(own, attrs.evolve(LEAF, common_name="other"), stored)


def test_another_kind_never_satisfies(stored: dict[str, Credential]) -> None:
    password = Credential(name="/d/c/p", kind=Kind.PASSWORD, version="1", created_at=NOW, value=Text(text=Secret("x")))
    assert satisfies(password, PasswordParameters(), stored)
    assert not satisfies(password, LEAF, stored)


def ending(name: str, days: float) -> Credential:
    """A credential whose certificate was made at NOW and ends so many days later."""
    value = Certificate(certificate="", private_key=Secret(""), ca="")
    return attrs.evolve(credential(name, value), expires_at=NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("lasts", "passed", "due"),
    [(365, 334, False), (365, 335, True), (365, 400, True), (9, 5, False), (9, 6, True)],
    ids=["not yet", "30 days before", "ended", "short life, not yet", "short life, a third left"],
)
def test_a_certificate_is_due_some_days_before_its_end_or_with_a_third_of_its_life_left(
    lasts: int, passed: int, due: bool
) -> None:
    stored = {"ca": ending("/d/c/ca", 3650), "leaf": ending("/d/c/leaf", lasts)}
    assert is_due(stored["leaf"], LEAF, stored, NOW + timedelta(days=passed), 30) is due


def test_neither_an_authority_nor_what_a_person_put_nor_what_cannot_last_longer_is_due() -> None:
    late = NOW + timedelta(days=364)
    authority, leaf = ending("/d/c/ca", 365), ending("/d/c/leaf", 365)
    assert not is_due(authority, CA, {"ca": authority}, late, 30)
    assert not is_due(leaf, LEAF, {"ca": authority}, late, 30)
    assert not is_due(attrs.evolve(leaf, generated=False), LEAF, {"ca": ending("/d/c/ca", 3650)}, late, 30)
    assert is_due(leaf, LEAF, {"ca": ending("/d/c/ca", 3650)}, late, 30)


def test_while_an_authority_is_rotated_only_what_the_signing_one_signed_satisfies(
    stored: dict[str, Credential],
) -> None:
    old, leaf = stored["ca"].value, stored["leaf"].value
    assert isinstance(old, Certificate)
    assert isinstance(leaf, Certificate)
    new = issue(CA, now=NOW, algorithm=KeyAlgorithm.ECDSA_P256)
    both = attrs.evolve(leaf, ca=new.certificate + old.certificate)
    trusting = {"ca": credential("/d/c/ca", old), "leaf": credential("/d/c/leaf", both)}
    assert satisfies(trusting["leaf"], LEAF, trusting)
    switched = {**trusting, "ca": credential("/d/c/ca", new)}
    assert not satisfies(switched["leaf"], LEAF, switched)
