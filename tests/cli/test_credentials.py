"""``kubo credentials copy``: from one file store into another, by two specs of one cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.builtin.file_credentials.key_file import OwnKeyFile
from kubo_sdk.builtin.file_credentials.store import FileCredentialStore
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import CertificateParameters, CredentialSummary, Kind, PasswordParameters, Text
from kubo_sdk.testing.fakes.release import fake_release

ROOT = "/kubo/demo"
PLUGIN = "from kubo_sdk.testing.fakes import FakeCloud\n\nplugin = FakeCloud().plugin()\n"


def store(path: Path) -> FileCredentialStore:
    return FileCredentialStore(path, OwnKeyFile(path=path.with_suffix(".key"), database=path))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with two specs that differ in their credential stores, and a plugin with a cloud in memory."""
    (tmp_path / "fake_cloud.py").write_text(PLUGIN)
    metadata = tmp_path / "fake_cloud-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-cloud\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[kubo_sdk]\nfake = fake_cloud:plugin\n")
    source = fake_release(tmp_path / "release")
    ports = dict.fromkeys(("cpi", "dns", "overlay", "ingress", "cluster_dns"), "fake")
    kubernetes = {"version": "1.30.2", "source": {"provider": source.provider, **source.options}}
    for name in ("old", "new"):
        kept = {"provider": "file", "path": f"{name}/credentials.db"}
        spec = {"name": "demo", "kubernetes": kubernetes, **ports, "credential_store": kept}
        (tmp_path / f"{name}.yml").write_text(json.dumps(spec))
    ca = CertificateParameters(common_name="ca", is_ca=True)
    leaf = CertificateParameters(common_name="admin", ca=f"{ROOT}/ca")
    old = store(tmp_path / "old" / "credentials.db")
    old.generate_many([(f"{ROOT}/ca", ca), (f"{ROOT}/admin", leaf), (f"{ROOT}/word", PasswordParameters())])
    old.put(f"{ROOT}/note", Kind.JSON, Text(text=Secret('{"a":1}')))
    old.put("/kubo/other/note", Kind.VALUE, Text(text=Secret("stays")))
    old.close()
    return tmp_path


def kubo(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kubo_sdk", "--state", str(place / "state"), "--cache", str(place / "cache")]
    return subprocess.run(
        [*command, "credentials", "copy", *arguments],
        capture_output=True,
        check=False,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "KUBO_PLUGINS": "fake"},
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
    )


def test_everything_is_copied_as_it_is_and_counts_as_generated_where_it_was(place: Path) -> None:
    before = {found.name: store(place / "old" / "credentials.db").get(found.name) for found in _found(place, "old")}
    told = kubo(place, "-f", "old.yml", "--to", "new.yml")
    assert told.returncode == 0, told.stderr
    assert "4 credentials copied, 0 were there already" in told.stdout
    assert "kubo plan -f new.yml must find nothing to do" in told.stdout
    new = store(place / "new" / "credentials.db")
    for name, credential in before.items():
        assert (new.get(name).value, new.get(name).generated) == (credential.value, credential.generated)
    leaf = CertificateParameters(common_name="admin", ca=f"{ROOT}/ca")
    assert new.generate(f"{ROOT}/admin", leaf) == new.get(f"{ROOT}/admin")
    assert _found(place, "old") != ()


def test_the_source_is_emptied_on_request_and_other_clusters_keep_theirs(place: Path) -> None:
    kubo(place, "-f", "old.yml", "--to", "new.yml")
    told = kubo(place, "-f", "old.yml", "--to", "new.yml", "--delete-source")
    assert "0 credentials copied, 4 were there already, 4 deleted from where they were" in told.stdout
    assert _found(place, "old") == ()
    assert len(store(place / "old" / "credentials.db").find("/kubo/other")) == 1
    again = kubo(place, "-f", "old.yml", "--to", "new.yml", "--delete-source")
    assert again.returncode == 9
    assert "kubo: the store that is copied holds nothing of cluster kubo/demo" in again.stderr
    assert len(_found(place, "new")) == 4


def test_other_values_are_kept_unless_they_may_be_overwritten(place: Path) -> None:
    other = store(place / "new" / "credentials.db")
    word = other.generate(f"{ROOT}/word", PasswordParameters())
    told = kubo(place, "-f", "old.yml", "--to", "new.yml")
    assert told.returncode == 9
    assert "the target holds other values of word; if it is not the newer one, copy with --overwrite" in told.stderr
    assert [found.name for found in _found(place, "new")] == [word.name]
    assert kubo(place, "-f", "old.yml", "--to", "new.yml", "--overwrite").returncode == 0
    assert other.get(word.name).value == store(place / "old" / "credentials.db").get(word.name).value


def test_a_spec_of_another_cluster_and_the_same_store_are_refused(place: Path) -> None:
    (place / "other.yml").write_text((place / "new.yml").read_text().replace('"demo"', '"other"'))
    told = kubo(place, "-f", "old.yml", "--to", "other.yml")
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "the specs are of two clusters, kubo/demo and kubo/other" in told.stderr
    told = kubo(place, "-f", "old.yml", "--to", "old.yml", "--delete-source")
    assert told.returncode == 6
    assert "both specs name the same credential store" in told.stderr
    assert len(_found(place, "old")) == 4


def _found(place: Path, name: str) -> tuple[CredentialSummary, ...]:
    return store(place / name / "credentials.db").find(ROOT)
