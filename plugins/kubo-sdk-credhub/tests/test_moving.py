"""A cluster's credentials move from the file store to CredHub and back, and no certificate of it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubo_sdk import Cluster
from kubo_sdk.errors import ConfigError, Conflict, KuboError, NotFound, UnsafePlan
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.ports.credentials import CertificateParameters, Credential, PasswordParameters
from kubo_sdk.steps.credentials import opened_below
from kubo_sdk.testing.fakes import FakeCloud

from .fakes_cluster import OnFakes
from .standin.site import Site

ROOT = "/kubo/demo"
CA = CertificateParameters(common_name="ca", is_ca=True, key_usage=("key_cert_sign", "crl_sign"))
RSA_FILE = ProviderChoice(provider="file", options={"key_algorithm": "rsa-2048"})


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[OnFakes]:
    with FakeCloud() as cloud:
        yield OnFakes(cloud, tmp_path)


@pytest.fixture
def in_file(ground: OnFakes) -> Cluster:
    """The cluster, deployed with its secrets in the file store."""
    cluster = ground.cluster(RSA_FILE)
    cluster.deploy()
    return cluster


@pytest.fixture
def filled(ground: OnFakes) -> Cluster:
    """A cluster that has a few secrets in the file store and no machines."""
    cluster = ground.cluster(RSA_FILE)
    leaf = CertificateParameters(common_name="admin", key_usage=("digital_signature",), ca=f"{ROOT}/ca")
    cluster.providers.credential_store.generate_many(
        [(f"{ROOT}/ca", CA), (f"{ROOT}/admin", leaf), (f"{ROOT}/encryption-key", PasswordParameters(length=64))]
    )
    return cluster


@pytest.fixture
def in_credhub(ground: OnFakes, site: Site) -> Cluster:
    """The same cluster as a spec has it that names CredHub."""
    return ground.cluster(ProviderChoice(provider="credhub", options=site.options()))


def held(cluster: Cluster) -> dict[str, Credential]:
    root = cluster.spec.id.credential("").rstrip("/")
    return {found.name: found for found in opened_below(cluster.providers.credential_store, root)}


def test_a_cluster_goes_to_credhub_and_back_and_nothing_of_it_changes(in_file: Cluster, in_credhub: Cluster) -> None:
    before = held(in_file)
    copied = in_file.copy_credentials(in_credhub, delete_source=True)
    assert set(copied.written) == set(copied.deleted)
    assert {name: each.value for name, each in held(in_credhub).items()} == {n: e.value for n, e in before.items()}
    assert held(in_file) == {}
    assert not (in_file.state_dir / "credentials.db").exists()
    assert in_credhub.plan().is_empty
    in_credhub.copy_credentials(in_file, delete_source=True)
    assert {name: each.value for name, each in held(in_file).items()} == {n: e.value for n, e in before.items()}
    assert held(in_credhub) == {}
    assert in_file.plan().is_empty


def test_what_was_moved_lives_on_as_if_credhub_had_made_it(
    ground: OnFakes, in_file: Cluster, in_credhub: Cluster
) -> None:
    in_file.copy_credentials(in_credhub)
    before = held(in_credhub)
    ground.cloud.forget(ground.cloud.machines["worker/0"])
    in_credhub.deploy()
    assert in_credhub.plan().is_empty
    assert held(in_credhub)["/kubo/demo/encryption-key"] == before["/kubo/demo/encryption-key"]
    in_credhub.rotate("ca", settle_seconds=0)
    after = held(in_credhub)
    assert in_credhub.plan().is_empty
    assert all(after[f"{ROOT}/{leaf}"].value != before[f"{ROOT}/{leaf}"].value for leaf in ("ca", "admin"))


def test_a_copy_that_was_cut_off_is_finished_by_the_next_and_the_source_is_whole_until_then(
    site: Site, filled: Cluster, in_credhub: Cluster
) -> None:
    before = held(filled)
    site.credhub.leaves_after = 4
    with pytest.raises(KuboError, match="run the same again"):
        filled.copy_credentials(in_credhub, delete_source=True)
    assert held(filled) == before
    site.credhub.leaves_after = None
    copied = filled.copy_credentials(in_credhub, delete_source=True)
    assert copied.kept
    assert copied.written
    assert held(in_credhub).keys() == before.keys()
    assert held(filled) == {}


def test_a_copy_over_other_values_is_refused_and_changes_nothing(filled: Cluster, in_credhub: Cluster) -> None:
    other = in_credhub.providers.credential_store.generate(f"{ROOT}/encryption-key", PasswordParameters(length=64))
    with pytest.raises(Conflict, match=r"other values of encryption-key.*--overwrite"):
        filled.copy_credentials(in_credhub)
    assert held(in_credhub) == {other.name: other}
    filled.copy_credentials(in_credhub, overwrite=True)
    assert held(in_credhub)[other.name].value == held(filled)[other.name].value != other.value


def test_a_copy_onto_itself_is_refused_and_deletes_nothing(ground: OnFakes, filled: Cluster) -> None:
    before = held(filled)
    with pytest.raises(UnsafePlan, match="the same credential store"):
        filled.copy_credentials(ground.cluster(RSA_FILE), delete_source=True)
    assert held(filled) == before


def test_a_copy_from_nothing_is_refused(filled: Cluster, in_credhub: Cluster) -> None:
    with pytest.raises(NotFound, match="holds nothing of cluster kubo/demo"):
        in_credhub.copy_credentials(filled, delete_source=True)


def test_a_rotation_that_is_half_done_is_not_copied(in_file: Cluster, in_credhub: Cluster) -> None:
    in_file.rotate("ca", until="trust", settle_seconds=0)
    with pytest.raises(UnsafePlan, match="rotation of ca is half done"):
        in_file.copy_credentials(in_credhub)
    assert held(in_credhub) == {}


def test_keys_that_credhub_cannot_keep_are_refused_before_anything_is_written(
    ground: OnFakes, in_credhub: Cluster
) -> None:
    cluster = ground.cluster(ProviderChoice(provider="file"))
    made = cluster.providers.credential_store.generate(f"{ROOT}/ca", CA)
    with pytest.raises(ConfigError, match="CredHub keeps RSA keys alone"):
        cluster.copy_credentials(in_credhub)
    assert held(in_credhub) == {}
    assert held(cluster) == {made.name: made}
