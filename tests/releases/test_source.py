"""Choosing a source by name, what goes with a version, and what ``auto`` does without a network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kubo_sdk.errors import ConfigError, NotFound, Unavailable
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.model.version import NEWEST_MINOR, OLDEST_MINOR, KubernetesVersion
from kubo_sdk.releases.architecture import host_architecture
from kubo_sdk.releases.cache import ReleaseCache
from kubo_sdk.releases.companions import companions
from kubo_sdk.releases.debian_build import RECIPE
from kubo_sdk.releases.manifest import Contents
from kubo_sdk.releases.source import NAMES, open_source


@pytest.fixture
def open_named(tmp_path):
    def open_it(provider, **options):
        return open_source(
            ProviderChoice(provider=provider, options=options), cache_dir=tmp_path / "cache", base_dir=tmp_path
        )

    return open_it


@pytest.fixture
def closed_port():
    """An address nobody listens at, kept for the time of the test."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


@pytest.mark.parametrize("name", NAMES)
def test_every_source_is_opened_by_its_name_and_touches_nothing(open_named, name, tmp_path):
    options = {"path": "files"} if name == "directory" else {}
    assert open_named(name, **options).name == name
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_source_is_refused_with_those_there_are(open_named):
    with pytest.raises(ConfigError, match="no release source called 'upstraem'; there are auto, upstream, debian, dir"):
        open_named("upstraem")


def test_every_wrong_option_is_told_at_once(open_named):
    with pytest.raises(ConfigError) as caught:
        open_named("upstream", base_uri="x", images="a.tar", etcd_url=7)
    unknown, images, etcd_url = caught.value.problems
    assert unknown == (
        "the release source 'upstream' has no option 'base_uri'; "
        "it has base_url, etcd_url, architecture, pause_image, images"
    )
    assert images == "the option 'images' of the release source 'upstream' must be a list of texts, not 'a.tar'"
    assert etcd_url == "the option 'etcd_url' of the release source 'upstream' must be a text, not 7"


@pytest.mark.parametrize("minor", range(OLDEST_MINOR, NEWEST_MINOR + 1))
def test_every_supported_version_has_companions_that_may_be_used(minor):
    chosen = companions(KubernetesVersion(1, minor, 0))
    etcd = tuple(int(part) for part in chosen.etcd_version.split("."))
    assert etcd >= (3, 5, 3)
    assert etcd >= (3, 6, 0) or minor < 36
    assert chosen.pause_image.startswith("registry.k8s.io/pause:3.")


def test_companions_follow_the_version():
    assert companions(KubernetesVersion(1, 20, 2)).pause_image == "registry.k8s.io/pause:3.2"
    assert companions(KubernetesVersion(1, 33, 9)).etcd_version == "3.5.21"
    assert companions(KubernetesVersion(1, 34, 0)).etcd_version == "3.6.8"


def test_auto_downloads_where_the_site_answers(open_named, site, version, said):
    site.publish(version)
    source = open_named("auto", base_url=site.url, etcd_url=site.url)
    assert source.fetch(version, said.append).source == "upstream"


def test_auto_uses_what_the_cache_has_without_any_network(open_named, site, version, said):
    site.publish(version)
    fetched = open_named("auto", base_url=site.url, etcd_url=site.url).fetch(version, said.append)
    site.asked.clear()
    said.clear()
    source = open_named("auto", base_url=site.url, etcd_url=site.url)
    assert source.find(version) == source.fetch(version, said.append) == fetched
    assert (site.asked, said) == ([], [])


def test_auto_uses_a_release_compiled_before_and_prefers_a_downloaded_one(open_named, site, version, said, tmp_path):
    compiled = _compiled(tmp_path / "cache", version)
    source = open_named("auto", base_url=site.url, etcd_url=site.url)
    assert source.fetch(version, said.append) == compiled
    assert site.asked == []
    site.publish(version)
    downloaded = open_named("upstream", base_url=site.url, etcd_url=site.url).fetch(version, said.append)
    assert source.find(version) == downloaded


def test_auto_does_not_compile_what_the_site_says_was_never_released(open_named, site, version, said):
    with pytest.raises(NotFound, match=r"has no Kubernetes 1\.30\.4"):
        open_named("auto", base_url=site.url, mirror=f"{site.url}/debian").fetch(version, said.append)
    assert said == []


def test_auto_falls_back_with_one_notice_and_gives_both_reasons_when_that_fails_too(
    open_named, closed_port, version, said
):
    source = open_named("auto", base_url=closed_port, mirror=f"{closed_port}/debian")
    with pytest.raises(Unavailable) as caught:
        source.fetch(version, said.append)
    notice, asking = said
    assert notice.startswith(f"{closed_port}/release/v1.30.4/bin/linux/{host_architecture()}/kubelet.sha256 cannot be")
    assert notice.endswith("compiling Kubernetes 1.30.4 from Debian's source package instead")
    assert asking.startswith("asking Debian's archive")
    reason = str(caught.value)
    assert reason.startswith(f"Kubernetes 1.30.4 cannot be had: {closed_port}/release/")
    assert f"Debian's archive at {closed_port}/debian does not answer" in reason


def _compiled(cache_dir: Path, version: KubernetesVersion):
    """A small release in the cache, as the source ``debian`` would have left it."""

    def build(tree: Path, work: Path) -> Contents:
        (tree / "bin" / "kubelet").write_text("compiled")
        return Contents(etcd_version="3.4.23", pause_image="kubo.local/pause:3.2")

    origin = {"suite": "bookworm", "architecture": host_architecture(), "recipe": RECIPE}
    return ReleaseCache(cache_dir, "debian").make(version, origin, lambda line: None, build)
