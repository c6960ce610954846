"""Tokens of service accounts, signed anew."""

from __future__ import annotations

import base64
import json

import pytest

from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.keys import rsa_pair
from kubo_sdk.pki.tokens import is_signed_by, key_id, named_key, signed_anew
from kubo_sdk.ports.credentials import KeyPair, RsaParameters


@pytest.fixture(scope="module")
def pairs() -> tuple[KeyPair, KeyPair]:
    return rsa_pair(RsaParameters()), rsa_pair(RsaParameters())


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def token(pair: KeyPair, claims: object) -> Secret:
    return signed_anew(Secret(f"{encoded({})}.{encoded(claims)}.x"), pair)


def test_a_token_that_is_signed_anew_says_the_same_and_names_its_new_key(pairs: tuple[KeyPair, KeyPair]) -> None:
    old, new = pairs
    first = token(old, {"sub": "system:serviceaccount:default:default"})
    assert is_signed_by(first, old)
    assert not is_signed_by(first, new)
    second = signed_anew(first, new)
    assert is_signed_by(second, new)
    assert not is_signed_by(second, old)
    assert first.reveal().split(".")[1] == second.reveal().split(".")[1]
    assert named_key(second.reveal().split(".")[0] + ".") == key_id(new) != key_id(old)


@pytest.mark.parametrize("claims", ["", "x", "a.b", "a.b.c", "a.b.c.d", "..", "a.b.!!!"])
def test_what_is_no_token_was_signed_by_nobody(pairs: tuple[KeyPair, KeyPair], claims: str) -> None:
    assert not is_signed_by(Secret(claims), pairs[0])
    assert named_key(claims) == ""


def test_claims_that_somebody_put_in_were_signed_by_nobody(pairs: tuple[KeyPair, KeyPair]) -> None:
    head, _, signature = token(pairs[0], {"sub": "me"}).reveal().split(".")
    forged = Secret(f"{head}.{encoded({'sub': 'system:serviceaccount:kube-system:admin'})}.{signature}")
    assert not is_signed_by(forged, pairs[0])
