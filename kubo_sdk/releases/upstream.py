"""Release source ``upstream``: the projects' own download sites, every file checked against its published checksum.

    <base_url>/release/v1.31.2/bin/linux/amd64/kubelet and kubelet.sha256
    <etcd_url>/v3.5.21/etcd-v3.5.21-linux-amd64.tar.gz and SHA256SUMS

The pause image is not published as an archive: nodes pull it from its registry, unless the options bring archives.
"""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import ConfigError, NotFound, ProviderError
from kubo_sdk.model.release import KUBERNETES_BINARIES, Release
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.architecture import host_architecture
from kubo_sdk.releases.archives import add_archives, signature
from kubo_sdk.releases.cache import ReleaseCache
from kubo_sdk.releases.companions import companions
from kubo_sdk.releases.http import answers, get_checksum, get_file, get_text
from kubo_sdk.releases.manifest import Contents
from kubo_sdk.releases.protocol import Say, no_newest

KUBERNETES_URL = "https://dl.k8s.io"
ETCD_URL = "https://github.com/etcd-io/etcd/releases/download"
PARALLEL = 4
ETCD_PROGRAMS = ("etcd", "etcdctl", "etcdutl")


@frozen(kw_only=True)
class UpstreamOptions:
    """``images``: archives to load on workers, relative to the spec; ``pause_image``: by default the registry's.

    ``architecture``: of the machines, by default this host's.
    """

    base_url: str = KUBERNETES_URL
    etcd_url: str = ETCD_URL
    architecture: str = ""
    pause_image: str = ""
    images: tuple[str, ...] = ()


class UpstreamSource:
    """Downloads with a few connections at once."""

    name = "upstream"

    def __init__(self, options: UpstreamOptions, *, cache_dir: Path, base_dir: Path) -> None:
        self._options = options
        self._architecture = options.architecture or host_architecture()
        self._archives = tuple(base_dir / archive for archive in options.images)
        self._cache = ReleaseCache(cache_dir, self.name)
        problems = [
            f"the option {option!r} of the release source 'upstream' must be an http or https address, not {url!r}"
            for option, url in (("base_url", options.base_url), ("etcd_url", options.etcd_url))
            if not url.startswith(("http://", "https://"))
        ]
        if problems:
            raise ConfigError(problems)

    def find(self, version: KubernetesVersion) -> Release | None:
        return self._cache.find(version, self._origin())

    def fetch(self, version: KubernetesVersion, say: Say) -> Release:
        def build(tree: Path, work: Path) -> Contents:
            return self._download(version, say, tree, work)

        return self._cache.make(version, self._origin(), say, build)

    def newest(self, minor: int) -> KubernetesVersion:
        """What the site calls the stable version."""
        url = f"{self._options.base_url.rstrip('/')}/release/stable-1.{minor}.txt"
        try:
            return KubernetesVersion.parse(get_text(url))
        except NotFound as error:
            raise no_newest(self._options.base_url, minor) from error
        except ValueError as error:
            raise ProviderError(f"{url} holds no version: {error}") from None

    def require(self, version: KubernetesVersion, *, within: float) -> None:
        """Return when the site offers *version*; NotFound or Unavailable within that many seconds otherwise."""
        try:
            answers(f"{self._url(version, 'kubelet')}.sha256", within=within)
        except NotFound as error:
            raise self._no_such(version) from error

    def _origin(self) -> Mapping[str, str]:
        return {
            "base_url": self._options.base_url,
            "etcd_url": self._options.etcd_url,
            "architecture": self._architecture,
            "pause_image": self._options.pause_image,
            "images": signature(self._archives),
        }

    def _download(self, version: KubernetesVersion, say: Say, tree: Path, work: Path) -> Contents:
        goes_along = companions(version)
        say(f"downloading Kubernetes {version} from {self._options.base_url}")
        stop = threading.Event()
        with ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="download") as threads:
            parts = {
                threads.submit(self._get_binary, version, name, tree, stop): f"{name} {version}"
                for name in KUBERNETES_BINARIES
            }
            etcd = threads.submit(self._get_etcd, goes_along.etcd_version, tree, work, stop)
            parts[etcd] = f"etcd {goes_along.etcd_version}"
            try:
                for part in as_completed(parts):
                    part.result()
                    say(f"downloaded {parts[part]}")
            except BaseException:
                stop.set()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        images, pause = add_archives(self._archives, tree / "images")
        return Contents(
            etcd_version=goes_along.etcd_version,
            pause_image=self._options.pause_image or pause or goes_along.pause_image,
            images=images,
        )

    def _get_binary(self, version: KubernetesVersion, name: str, tree: Path, stop: threading.Event) -> None:
        url = self._url(version, name)
        try:
            checksum = get_checksum(f"{url}.sha256", name)
            get_file(url, tree / "bin" / name, sha256=checksum, stop=stop)
        except NotFound as error:
            raise self._no_such(version) from error

    def _get_etcd(self, version: str, tree: Path, work: Path, stop: threading.Event) -> None:
        directory = f"{self._options.etcd_url.rstrip('/')}/v{version}"
        name = f"etcd-v{version}-linux-{self._architecture}.tar.gz"
        try:
            checksum = get_checksum(f"{directory}/SHA256SUMS", name)
            get_file(f"{directory}/{name}", work / name, sha256=checksum, stop=stop)
        except NotFound as error:
            raise NotFound(f"{error}; check the option 'etcd_url', which must offer etcd {version}") from error
        unpack_etcd(work / name, tree / "bin")

    def _url(self, version: KubernetesVersion, name: str) -> str:
        base = self._options.base_url.rstrip("/")
        return f"{base}/release/{version.tag}/bin/linux/{self._architecture}/{name}"

    def _no_such(self, version: KubernetesVersion) -> NotFound:
        return NotFound(
            f"{self._options.base_url} has no Kubernetes {version} for linux/{self._architecture}; "
            "choose a version that was released"
        )


def unpack_etcd(archive: Path, into: Path) -> None:
    """Take the programs out of etcd's archive.  ProviderError when etcd or etcdctl is not in it."""
    wanted = {f"{archive.name.removesuffix('.tar.gz')}/{name}": name for name in ETCD_PROGRAMS}
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name in wanted else None
            if content is not None:
                (into / wanted.pop(member.name)).write_bytes(content.read())
    if missing := sorted(name for name in wanted.values() if name != "etcdutl"):
        raise ProviderError(f"{archive.name} holds no {' and no '.join(missing)}; check the download location")
