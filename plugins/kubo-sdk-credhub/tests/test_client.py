"""The REST client beyond the port: every endpoint, every parameter."""

from __future__ import annotations

import pytest
from cryptography import x509

from kubo_sdk.errors import Conflict, NotFound, ProviderError
from kubo_sdk_credhub.api.client import CredhubClient
from kubo_sdk_credhub.api.credentials import WriteMode
from kubo_sdk_credhub.api.orders import CertificateOrder, PasswordOrder, RsaOrder, SshOrder, UserOrder
from kubo_sdk_credhub.api.permissions import Operation
from kubo_sdk_credhub.keeping.store import CredhubStore

CA = CertificateOrder(common_name="ca", is_ca=True, key_usage=("key_cert_sign", "crl_sign"), duration=30)


@pytest.fixture
def client(store: CredhubStore) -> CredhubClient:
    return store.client


def test_the_server_tells_of_itself(client: CredhubClient) -> None:
    assert client.version() == "2.15.20"
    assert client.key_usage() == {"active_key": 0, "inactive_keys": 0, "unknown_keys": 0}


def test_passwords_take_every_parameter(client: CredhubClient) -> None:
    order = PasswordOrder(length=20, exclude_upper=True, exclude_lower=True, exclude_number=True, include_special=True)
    made = client.credentials.generate("/d/x", order).value
    assert len(made) == 20
    assert not any(letter.isalnum() for letter in made)
    user = client.credentials.generate("/d/user", UserOrder(exclude_number=True)).value
    assert len(user["username"]) == 20
    assert user["password"].isalpha()


def test_certificates_take_every_parameter(client: CredhubClient) -> None:
    client.credentials.generate("/d/ca", CA)
    order = CertificateOrder(
        common_name="leaf", organization="o", organization_unit="ou", locality="l", state="st", country="AT",
        alternative_names=("a.example", "*.b.example", "10.0.0.1", "::1"),
        key_usage=("data_encipherment", "key_agreement"),
        extended_key_usage=("code_signing", "email_protection", "timestamping"),
        key_length=3072, duration=5, ca="/d/ca",
    )  # fmt: skip
    made = client.credentials.generate("/d/leaf", order, metadata={"who": "we"})
    leaf = x509.load_pem_x509_certificate(made.value["certificate"].encode())
    assert leaf.subject.rfc4514_string() == "CN=leaf,OU=ou,C=AT,ST=st,O=o,L=l"
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["a.example", "*.b.example", "10.0.0.1", "::1"]
    assert leaf.public_key().key_size == 3072  # type: ignore[union-attr]
    assert (made.generated, made.metadata) == (True, {"who": "we"})
    assert client.credentials.generate("/d/leaf", order) == made
    own = client.credentials.generate("/d/own", CertificateOrder(common_name="own", self_sign=True))
    assert own.value["ca"] == own.value["certificate"]


def test_keys_take_every_parameter(client: CredhubClient) -> None:
    assert "PUBLIC KEY" in client.credentials.generate("/d/rsa", RsaOrder(key_length=4096)).value["public_key"]
    ssh = client.credentials.generate("/d/ssh", SshOrder(key_length=3072, ssh_comment="me"), WriteMode.NO_OVERWRITE)
    assert ssh.value["public_key"].endswith(" me")


def test_credentials_are_found_by_path_by_part_and_by_expiry(client: CredhubClient) -> None:
    client.credentials.generate("/d/ca", CA)
    client.credentials.set("/d/Value", "value", "x")
    client.credentials.set("/dd/value", "value", "x")
    assert {each.name for each in client.credentials.find("/d")} == {"/d/ca", "/d/Value"}
    assert {each.name for each in client.credentials.find_like("VALUE")} == {"/d/Value", "/dd/value"}
    (expiring,) = client.credentials.find("/", expires_within_days=31)
    assert expiring.name == "/d/ca"
    assert expiring.expires_at is not None
    assert client.credentials.find("/", expires_within_days=29) == ()


def test_versions_are_read_by_number_and_by_id(client: CredhubClient) -> None:
    for word in ("one", "two", "three"):
        client.credentials.set("/d/x", "value", word)
    two = client.credentials.versions("/d/x", 2)
    assert [each.value for each in two] == ["three", "two"]
    assert client.credentials.version(two[1].id) == two[1]
    with pytest.raises(NotFound):
        client.credentials.version("no-such-id")


def test_what_was_generated_is_regenerated_with_the_same_parameters(client: CredhubClient) -> None:
    first = client.credentials.generate("/d/x", PasswordOrder(length=50))
    again = client.credentials.regenerate("/d/x")
    assert again.value != first.value
    assert len(again.value) == 50
    client.credentials.set("/d/set", "password", "word")
    with pytest.raises(ProviderError, match="statically set"):
        client.credentials.regenerate("/d/set")


def test_everything_an_authority_signed_is_regenerated_at_once_also_below_others(client: CredhubClient) -> None:
    client.credentials.generate("/d/ca", CA)
    client.credentials.generate("/d/sub", CertificateOrder(common_name="sub", is_ca=True, ca="/d/ca"))
    for leaf, ca in (("one", "/d/ca"), ("two", "/d/sub")):
        client.credentials.generate(f"/d/{leaf}", CertificateOrder(common_name=leaf, ca=ca))
    assert client.credentials.bulk_regenerate("/d/ca") == ("/d/one", "/d/sub", "/d/two")
    assert client.credentials.bulk_regenerate("/d/one") == ()
    assert len(client.credentials.versions("/d/ca")) == 1


def test_credhubs_own_procedure_rotates_an_authority(client: CredhubClient) -> None:
    old = client.credentials.generate("/d/ca", CA)
    leaf = client.credentials.generate("/d/leaf", CertificateOrder(common_name="leaf", ca="/d/ca"))
    entry = client.certificates.named("/d/ca")
    assert entry.signs == ("/d/leaf",)
    new = client.certificates.regenerate(entry, transitional=True, key_length=3072, duration=40)
    with pytest.raises(ProviderError, match="maximum number of transitional"):
        client.certificates.regenerate(entry, transitional=True)
    assert [each.id for each in client.credentials.current("/d/ca")] == [old.id, new.id]
    bundled = client.credentials.current("/d/leaf")[0]
    assert bundled.id != leaf.id
    assert bundled.value["certificate"] == leaf.value["certificate"]
    assert bundled.value["ca"].count("BEGIN CERTIFICATE") == 2
    assert [each.id for each in client.certificates.mark_transitional(entry, old.id)] == [new.id, old.id]
    assert client.credentials.bulk_regenerate("/d/ca") == ("/d/leaf",)
    client.certificates.mark_transitional(entry, None)
    assert client.credentials.current("/d/leaf")[0].value["ca"].strip() == new.value["certificate"].strip()
    assert [each.id for each in client.certificates.versions(entry)] == [new.id, old.id]
    client.certificates.delete_version(entry, old.id)
    with pytest.raises(ProviderError, match="minimum number"):
        client.certificates.delete_version(entry, new.id)


def test_a_version_that_one_brings_can_be_transitional(client: CredhubClient) -> None:
    client.credentials.generate("/d/ca", CA)
    other = client.credentials.generate("/d/other", CA).value
    entry = next(each for each in client.certificates.all() if each.name == "/d/ca")
    added = client.certificates.add_version(entry, other, transitional=True)
    assert added.transitional
    assert added.generated is False
    assert client.certificates.versions(entry, current=True)[1].id == added.id


def test_permissions_are_given_read_changed_and_taken(client: CredhubClient) -> None:
    permissions = client.permissions
    made = permissions.add("/d/c/*", "uaa-client:other", [Operation.READ])
    assert permissions.find("/d/c/*", "uaa-client:other") == permissions.get(made.id) == made
    with pytest.raises(Conflict, match="already exists"):
        permissions.add("/d/c/*", "uaa-client:other", [Operation.READ])
    changed = permissions.change(made.id, [Operation.READ, Operation.WRITE])
    assert changed.operations == {Operation.READ, Operation.WRITE}
    assert permissions.replace(made) == made
    with pytest.raises(ProviderError, match="authenticated user"):
        permissions.add("/d/c/*", "uaa-client:kubo", [Operation.READ])
    permissions.delete(made.id)
    with pytest.raises(NotFound):
        permissions.get(made.id)


def test_references_in_services_are_filled_in(client: CredhubClient) -> None:
    client.credentials.set("/d/json", "json", {"a": 1})
    services = {"p": [{"credentials": {"credhub-ref": "((/d/json))"}}, {"credentials": {"x": 2}}]}
    assert client.credentials.interpolate(services) == {"p": [{"credentials": {"a": 1}}, {"credentials": {"x": 2}}]}
    client.credentials.set("/d/value", "value", "x")
    with pytest.raises(ProviderError, match="not the expected type"):
        client.credentials.interpolate({"p": [{"credentials": {"credhub_ref": "/d/value"}}]})
