"""What a real server may send is understood: bundles, PKCS#1 keys, nulls, unknown fields, many versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kubo_sdk.errors import ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    KeyPair,
    Kind,
    PasswordParameters,
    Text,
    User,
)
from kubo_sdk_credhub.api.answers import certificates, found, version, versions
from kubo_sdk_credhub.keeping.reading import credential
from kubo_sdk_credhub.keeping.store import CredhubStore

from .standin.site import Site
from .standin.vault import Version

BARE = {"type": "password", "version_created_at": "2026-01-02T03:04:05Z", "id": "1", "name": "/d/x", "value": "word"}
CA = CertificateParameters(common_name="ca", is_ca=True, key_usage=("key_cert_sign", "crl_sign"))


def read(**changes: Any) -> Any:
    return credential(version({**BARE, **changes}))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123Z", datetime(2026, 1, 2, 3, 4, 5, 123000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_times_may_have_any_precision(text: str, moment: datetime) -> None:
    assert read(version_created_at=text).created_at == moment


def test_unknown_fields_and_nulls_are_passed_over() -> None:
    assert read(metadata=None, expiry_date=None, transitional=None, generated=None, later={"x": 1}).value == Text(
        text=Secret("word")
    )
    assert read(metadata={"kubo_sdk": "something else"}).generated is False
    user = read(type="user", value={"username": None, "password": "p", "password_hash": "$6$x"})
    assert user.value == User(username="", password=Secret("p"))
    half = read(type="certificate", value={"ca": None, "certificate": None, "private_key": "k"})
    assert half.value == Certificate(certificate="", private_key=Secret("k"), ca="")
    assert half.expires_at is None
    assert read(type="rsa", value={"public_key": "p", "private_key": None}).value == KeyPair(
        public_key="p", private_key=Secret("")
    )
    assert read(type="Password").kind is Kind.PASSWORD


@pytest.mark.parametrize(
    "said",
    [
        "words", None, [], {**BARE, "id": None}, {**BARE, "version_created_at": "soon"},
        {**BARE, "name": ""}, {key: part for key, part in BARE.items() if key != "version_created_at"},
    ],
)  # fmt: skip
def test_what_is_no_credential_gets_a_sentence(said: Any) -> None:
    with pytest.raises(ProviderError, match="CredHub answered"):
        version(said)


@pytest.mark.parametrize(("changes", "word"), [({"type": "totp"}, "totp"), ({"value": None}, "no text"),
                                               ({"type": "user", "value": "x"}, "without its parts")])  # fmt: skip
def test_a_value_that_does_not_fit_its_type_gets_a_sentence(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ProviderError, match=word):
        read(**changes)


def test_lists_come_bare_and_wrapped() -> None:
    assert versions([BARE]) == versions({"data": [BARE]}) == (version(BARE),)
    assert (
        found({"credentials": [{"name": "/a", "version_created_at": BARE["version_created_at"], "x": 1}]})[0].name
        == "/a"
    )
    entry = certificates({"certificates": [{"name": "/a", "id": "1", "signed_by": None, "signs": None}]})[0]
    assert (entry.signed_by, entry.signs, entry.versions) == ("", (), ())
    for read_list in (versions, found, certificates):
        with pytest.raises(ProviderError, match="no list"):
            read_list({"error": "x"})


def test_keys_come_as_pkcs1_and_bundles_with_two_authorities(store: CredhubStore) -> None:
    store.generate("/d/ca", CA)
    store.generate("/d/leaf", CertificateParameters(common_name="leaf", ca="/d/ca"))
    store.introduce_authority("/d/ca")
    leaf = store.get("/d/leaf").value
    assert isinstance(leaf, Certificate)
    assert leaf.private_key.reveal().startswith("-----BEGIN RSA PRIVATE KEY-----")
    load_pem_private_key(leaf.private_key.reveal_bytes(), None)
    assert len(x509.load_pem_x509_certificates(leaf.ca.encode())) == 2


def test_a_thousand_versions_of_one_name(site: Site, store: CredhubStore) -> None:
    made = store.generate("/d/x", PasswordParameters())
    entry = site.credhub.vault.entries["/d/x"]
    old = [Version(value=f"word-{number}", created=entry.versions[0].created) for number in range(999)]
    entry.versions[:0] = old
    assert len(store.list_versions("/d/x")) == 1000
    assert store.list_versions("/d/x")[0] == store.get("/d/x") == made
    assert store.find("/d")[0].version == made.version
    assert len(store.client.credentials.versions("/d/x", 3)) == 3
