"""When a stored credential may stay."""

from __future__ import annotations

import pytest
from attrs import evolve

from kubo_sdk.pki.converge import differs, may_stay
from kubo_sdk.ports.credentials import (
    CertificateParameters,
    PasswordParameters,
    RsaParameters,
    SshParameters,
    UserParameters,
)

LEAF = CertificateParameters(
    common_name="kubelet",
    organization="system:nodes",
    alternative_names=("10.0.0.1", "worker-0"),
    key_usage=("digital_signature", "key_encipherment"),
    extended_key_usage=("server_auth", "client_auth"),
    ca="/kubo/demo/ca",
)


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (PasswordParameters(length=30), PasswordParameters(length=31)),
        (UserParameters(username="a"), UserParameters(username="b")),
        (RsaParameters(), RsaParameters(key_length=4096)),
        (SshParameters(), SshParameters(comment="kubo")),
        (PasswordParameters(), SshParameters()),
        (LEAF, evolve(LEAF, common_name="kubelet2")),
        (LEAF, evolve(LEAF, organization=None)),
        (LEAF, evolve(LEAF, alternative_names=("10.0.0.2", "worker-0"))),
        (LEAF, evolve(LEAF, alternative_names=())),
        (LEAF, evolve(LEAF, key_usage=("digital_signature",))),
        (LEAF, evolve(LEAF, extended_key_usage=("client_auth",))),
        (LEAF, evolve(LEAF, ca="/kubo/demo/other-ca")),
        (LEAF, evolve(LEAF, is_ca=True)),
    ],
)
def test_another_wish_differs(stored, wanted) -> None:
    assert differs(stored, wanted)
    assert differs(wanted, stored)
    assert not differs(wanted, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        evolve(LEAF, duration_days=1),
        evolve(LEAF, alternative_names=("worker-0", "10.0.0.1", "worker-0")),
        evolve(LEAF, extended_key_usage=("client_auth", "server_auth")),
        evolve(LEAF, ca="/Kubo/Demo/CA"),
    ],
    ids=["duration", "order of names", "order of usages", "case of the CA"],
)
def test_the_same_wish_in_other_words_does_not_differ(wanted: CertificateParameters) -> None:
    assert not differs(LEAF, wanted)


def test_a_certificate_stays_until_its_authority_has_a_newer_version() -> None:
    assert may_stay(stored=LEAF, wanted=LEAF, signed_by="v1", ca="v1")
    assert not may_stay(stored=LEAF, wanted=LEAF, signed_by="v1", ca="v2")
    assert not may_stay(stored=LEAF, wanted=LEAF, signed_by="v1", ca=None)


def test_what_a_person_put_stays() -> None:
    assert may_stay(stored=None, wanted=LEAF, signed_by=None, ca="v1")
