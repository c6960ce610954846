"""A cluster whose every secret CredHub made: planned, deployed, healed, rotated and deleted, on fake machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from kubo_sdk import Cluster
from kubo_sdk.errors import KuboError
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.steps.credentials import opened_below
from kubo_sdk.testing.fakes import FakeCloud

from .fakes_cluster import OnFakes
from .standin.site import Site

ROOT = "/kubo/demo"


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[OnFakes]:
    with FakeCloud() as cloud:
        yield OnFakes(cloud, tmp_path)


@pytest.fixture
def cluster(ground: OnFakes, site: Site) -> Cluster:
    return ground.cluster(choice(site))


def choice(site: Site) -> ProviderChoice:
    return ProviderChoice(provider="credhub", options=site.options())


def certificates(cluster: Cluster) -> dict[str, x509.Certificate]:
    """Those in the store, by leaf name."""
    root = cluster.spec.id.credential("")
    return {
        found.name.removeprefix(root): x509.load_pem_x509_certificate(found.value.certificate.encode())
        for found in opened_below(cluster.providers.credential_store, root.rstrip("/"))
        if isinstance(found.value, Certificate)
    }


def test_every_secret_is_made_by_credhub_and_is_gone_with_the_cluster(cluster: Cluster, site: Site) -> None:
    cluster.deploy()
    entries = site.credhub.vault.entries.values()
    assert {f"{ROOT}/ca", f"{ROOT}/encryption-key"} <= {entry.name for entry in entries}
    made = [entry for entry in entries if entry.type not in {"value", "json"}]
    assert len(made) > 15
    assert all(version.generated for entry in made for version in entry.versions)
    assert all(isinstance(each.public_key(), rsa.RSAPublicKey) for each in certificates(cluster).values())
    site.credhub.calls.clear()
    assert cluster.plan().is_empty
    assert site.credhub.calls["GET /api/v1/data"] <= len(entries) + 8
    before = {entry.name: len(entry.versions) for entry in made}
    cluster.deploy()
    assert {entry.name: len(entry.versions) for entry in made} == before
    cluster.delete()
    assert site.credhub.vault.entries == {}


def test_a_replaced_machine_gets_new_certificates_and_authorities_are_exchanged_by_transitional_versions(
    ground: OnFakes, cluster: Cluster, site: Site
) -> None:
    cluster.deploy()
    first = certificates(cluster)
    ground.cloud.forget(ground.cloud.machines["worker/0"])
    cluster.deploy()
    before = certificates(cluster)
    assert all(before[f"{leaf}-worker-0"] != first[f"{leaf}-worker-0"] for leaf in ("kubelet-server", "kube-proxy"))
    assert all(before[leaf] == first[leaf] for leaf in ("ca", "apiserver-master-0"))
    cluster.rotate("ca", "etcd-ca", settle_seconds=0)
    after = certificates(cluster)
    assert all(after[leaf] != before[leaf] for leaf in ("ca", "etcd-ca", "kubelet-worker-0", "etcd-server-etcd-0"))
    assert after["front-proxy-ca"] == before["front-proxy-ca"]
    assert cluster.plan().is_empty
    entry = site.credhub.vault.entries[f"{ROOT}/ca"]
    assert not any(version.transitional for version in entry.versions)
    assert site.credhub.calls[f"PUT /api/v1/certificates/{entry.id}/update_transitional_version"] == 2


def test_a_deploy_goes_on_where_it_was_when_credhub_went_away(cluster: Cluster, site: Site) -> None:
    site.credhub.read_only = True
    with pytest.raises(KuboError, match="read-only mode") as refused:
        cluster.deploy()
    assert len(str(refused.value).splitlines()) == 1
    site.credhub.read_only = False
    site.credhub.leaves_after = 20
    with pytest.raises(KuboError, match="run the same again"):
        cluster.deploy()
    made = {entry.name: entry.versions[0].id for entry in site.credhub.vault.entries.values()}
    assert len(made) > 5
    site.credhub.leaves_after = None
    site.credhub.cut = 6
    cluster.deploy()
    assert site.credhub.cut == 0
    assert cluster.plan().is_empty
    entries = [entry for entry in site.credhub.vault.entries.values() if entry.type not in {"value", "json"}]
    assert {len(entry.versions) for entry in entries} == {1}
    assert all(site.credhub.vault.entries[name].versions[0].id == kept for name, kept in made.items())
