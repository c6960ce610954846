"""The source ``upstream`` against a real HTTP server on loopback."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubo_sdk.errors import ConfigError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.release import KUBERNETES_BINARIES
from kubo_sdk.releases.images import docker_archive
from kubo_sdk.releases.upstream import UpstreamOptions, UpstreamSource


@pytest.fixture
def open_upstream(tmp_path, site):
    def open_it(**options):
        chosen = UpstreamOptions(**{"base_url": site.url, "etcd_url": site.url, **options})
        return UpstreamSource(chosen, cache_dir=tmp_path / "cache", base_dir=tmp_path)

    return open_it


def releases(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "cache" / "releases").glob("[!.]*")]


def test_a_release_is_downloaded_verified_and_kept(site, open_upstream, version, said, tmp_path):
    site.publish(version)
    release = open_upstream().fetch(version, said.append)
    assert release.version == version
    assert release.source == "upstream"
    assert release.tree == tmp_path / "cache" / "releases" / f"1.30.4-upstream-{release.digest}"
    assert {path.name for path in (release.tree / "bin").iterdir()} == {
        *KUBERNETES_BINARIES,
        "etcd",
        "etcdctl",
        "etcdutl",
    }
    kubelet = release.tree / "bin" / "kubelet"
    assert kubelet.read_bytes() == site.files[site.path_of(version, "kubelet")]
    assert kubelet.stat().st_mode & 0o777 == 0o755
    assert (release.etcd_version, release.pause_image, release.images) == ("3.5.21", "registry.k8s.io/pause:3.9", ())
    assert release.binary("etcd") == f"{release.node_path}/bin/etcd"
    assert said[0] == f"downloading Kubernetes 1.30.4 from {site.url}"
    assert "downloaded kubelet 1.30.4" in said


def test_what_was_downloaded_is_found_without_any_network(site, open_upstream, version, said):
    site.publish(version)
    fetched = open_upstream().fetch(version, said.append)
    site.asked.clear()
    assert open_upstream().find(version) == fetched
    assert open_upstream().fetch(version, said.append) == fetched
    assert site.asked == []


def test_another_download_location_or_pause_image_is_another_release(site, open_upstream, version, said):
    site.publish(version)
    open_upstream().fetch(version, said.append)
    assert open_upstream(pause_image="registry.example.test/pause:3.9").find(version) is None
    assert open_upstream(base_url=f"{site.url}/mirror").find(version) is None


def test_a_version_that_was_never_released_is_not_found(site, open_upstream, version, said, tmp_path):
    site.publish(version)
    site.files = {path: content for path, content in site.files.items() if not path.startswith("/release")}
    with pytest.raises(NotFound, match=r"has no Kubernetes 1\.30\.4 for linux/") as caught:
        open_upstream().fetch(version, said.append)
    assert str(caught.value).endswith("choose a version that was released")
    assert releases(tmp_path) == []


def test_a_file_that_does_not_match_its_checksum_is_refused(site, open_upstream, version, said, tmp_path):
    site.publish(version)
    site.files[site.path_of(version, "kubelet")] += b"evil"
    with pytest.raises(ProviderError, match=r"kubelet does not match its checksum: it is [0-9a-f]{64}, published is"):
        open_upstream().fetch(version, said.append)
    assert releases(tmp_path) == []


def test_an_etcd_archive_that_does_not_match_its_checksum_is_refused(site, open_upstream, version, said, tmp_path):
    site.publish(version)
    archive = next(path for path in site.files if path.endswith(".tar.gz"))
    site.files[archive] += b"evil"
    with pytest.raises(ProviderError, match=r"etcd-v3\.5\.21-.* does not match its checksum"):
        open_upstream().fetch(version, said.append)
    assert releases(tmp_path) == []


def test_a_site_without_the_etcd_that_goes_along_is_told_by_its_option(site, open_upstream, version, said):
    site.publish(version)
    del site.files["/v3.5.21/SHA256SUMS"]
    with pytest.raises(NotFound, match=r"/v3\.5\.21/SHA256SUMS is not there; check the option 'etcd_url'"):
        open_upstream().fetch(version, said.append)


def test_a_checksum_file_with_a_web_page_in_it_is_refused(site, open_upstream, version, said):
    site.publish(version)
    site.files[site.path_of(version, "kubectl") + ".sha256"] = b"<html>please log in</html>"
    with pytest.raises(ProviderError, match="holds no SHA-256 of kubectl"):
        open_upstream().fetch(version, said.append)


def test_a_download_that_breaks_off_is_told_from_a_wrong_file(site, open_upstream, version, said):
    site.publish(version)
    site.cut_short.add(site.path_of(version, "kube-proxy"))
    with pytest.raises(Unavailable, match=r"kube-proxy broke off after 3 of \d+ bytes"):
        open_upstream().fetch(version, said.append)


def test_a_site_that_refuses_connections_is_unavailable(site, open_upstream, version, said):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(Unavailable, match=r"cannot be reached: .*Connection refused") as caught:
            open_upstream(base_url=closed).fetch(version, said.append)
    assert caught.value.retry_after is None


def test_a_site_that_says_forbidden_is_unavailable(site, open_upstream, version):
    site.publish(version)
    site.status[site.path_of(version, "kubelet") + ".sha256"] = 403
    with pytest.raises(Unavailable, match="answers 403 Forbidden"):
        open_upstream().require(version, within=5)


def test_a_silent_site_is_given_up_within_the_time_allowed(open_upstream, version):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = open_upstream(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(Unavailable):
            source.require(version, within=0.3)
        assert time.monotonic() - started < 2


def test_a_site_whose_certificate_nobody_vouches_for_is_unavailable(site, open_upstream, version, tmp_path):
    site.publish(version)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "site.pem"))
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    assert site.url.startswith("https://")
    with pytest.raises(Unavailable, match=r"(?i)certificate"):
        open_upstream().require(version, within=5)


def test_a_site_with_a_trusted_certificate_is_used(site, open_upstream, version, tmp_path, monkeypatch, said):
    site.publish(version)
    certificate = self_signed(tmp_path / "site.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert open_upstream().fetch(version, said.append).version == version


def test_a_proxy_of_the_environment_is_used(site, open_upstream, version, monkeypatch, said):
    site.publish(version)
    monkeypatch.setenv("http_proxy", site.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    elsewhere = "http://downloads.example.test"
    open_upstream(base_url=elsewhere, etcd_url=elsewhere).fetch(version, said.append)
    assert all(path.startswith(elsewhere) for path in site.asked)


def test_image_archives_of_the_options_come_along(site, open_upstream, version, said, tmp_path):
    site.publish(version)
    archive = docker_archive("registry.example.test/pause:3.9", {"pause": (b"x", 0o755)}, architecture="amd64")
    (tmp_path / "z-pause.tar").write_bytes(archive)
    (tmp_path / "app.tar").write_bytes(docker_archive("app:1", {"app": (b"x", 0o755)}, architecture="amd64"))
    release = open_upstream(images=("app.tar", "z-pause.tar")).fetch(version, said.append)
    assert release.images == ("z-pause.tar", "app.tar")
    assert release.pause_image == "registry.example.test/pause:3.9"
    assert (release.tree / "images" / "z-pause.tar").read_bytes() == archive


def test_addresses_that_are_no_http_addresses_are_refused_together(open_upstream):
    with pytest.raises(ConfigError) as caught:
        open_upstream(base_url="file:///etc", etcd_url="nowhere")
    assert [problem.split("'")[1] for problem in caught.value.problems] == ["base_url", "etcd_url"]


def test_a_user_who_stops_while_it_downloads_leaves_nothing(site, open_upstream, version, tmp_path):
    site.publish(version)

    def stop(line: str) -> None:
        if line.startswith("downloaded"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_upstream().fetch(version, stop)
    assert releases(tmp_path) == []
    assert not list((tmp_path / "cache" / "releases").glob(".making-*"))


def test_the_same_files_have_the_same_digest_everywhere(site, version, said, tmp_path):
    site.publish(version)
    options = UpstreamOptions(base_url=site.url, etcd_url=site.url)
    here, there = (
        UpstreamSource(options, cache_dir=tmp_path / place, base_dir=tmp_path).fetch(version, said.append)
        for place in ("here", "there")
    )
    assert here.digest == there.digest
    assert hashlib.sha256(here.tree.name.encode()) != hashlib.sha256(str(there.tree).encode())


def self_signed(path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(__import__("ipaddress").ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_the_newest_of_a_minor_version_is_what_the_site_calls_stable(site, open_upstream):
    site.files["/release/stable-1.30.txt"] = b"v1.30.14\n"
    site.files["/release/stable-1.31.txt"] = b"<html>"
    assert str(open_upstream().newest(30)) == "1.30.14"
    with pytest.raises(NotFound, match="name the one to take: --through"):
        open_upstream().newest(29)
    with pytest.raises(ProviderError, match="holds no version"):
        open_upstream().newest(31)
