"""What can be wrong with the spec's section ``preparation``.  Pure, but for `read_named_files`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kubo_sdk.config.place import Path as Place
from kubo_sdk.config.problem import Problem
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.preparation_spec import PackageSource
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec

EVERY_REGISTRY = "*"

_SECTION = "preparation"
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
_SOURCE = re.compile(r"deb (\[[^\]\n]*\] )?\S+ \S+( \S+)*")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_WORD = re.compile(r"[A-Za-z0-9.:/_*-]+")


def check_preparation(spec: ClusterSpec) -> Iterator[Problem]:
    """Every problem of the section by itself; no file is looked at."""
    yield from _check_packages(spec)
    yield from _check_proxy(spec)
    yield from _check_registries(spec)
    url = spec.preparation.release_url
    if url:
        yield from _check_url((_SECTION, "release_url"), url)


def _check_packages(spec: ClusterSpec) -> Iterator[Problem]:
    packages, path = spec.preparation.packages, (_SECTION, "packages")
    for index, name in enumerate(packages.extra):
        if not _PACKAGE.fullmatch(name):
            yield Problem((*path, "extra", index), f"is {name!r}, which is not the name of a Debian package")
    for index, line in enumerate(packages.apt):
        if not _SOURCE.fullmatch(line):
            wanted = "deb http://HOST/debian {codename} main"
            yield Problem((*path, "apt", index), f"is {line!r}; write it as in sources.list: {wanted}")
    wants_bundle = packages.source is PackageSource.BUNDLE
    if wants_bundle and packages.bundle is None:
        yield Problem((*path, "bundle"), "is missing; name the directory of .deb files that machines are sent")
    if not wants_bundle and packages.bundle is not None:
        yield Problem((*path, "bundle"), f"is not used while source is {packages.source}; write source: bundle")
    if packages.apt and packages.source is not PackageSource.APT:
        yield Problem((*path, "apt"), f"is not used while source is {packages.source}; write source: apt")
    if packages.key_file is not None and not packages.apt:
        yield Problem((*path, "key_file"), "signs the sources in apt, and there are none; add them")


def _check_proxy(spec: ClusterSpec) -> Iterator[Problem]:
    proxy, path = spec.preparation.proxy, (_SECTION, "proxy")
    for key, url in (("http", proxy.http), ("https", proxy.https)):
        if url:
            yield from _check_url((*path, key), url, credentials="credentials_file")
    for index, word in enumerate(proxy.no_proxy):
        if not _WORD.fullmatch(word):
            yield Problem((*path, "no_proxy", index), f"is {word!r}; write a host, a .domain or a network")
    if proxy.credentials_file is not None and not proxy.is_set:
        yield Problem((*path, "credentials_file"), "belongs to a proxy, and there is none; add http or https")


def _check_registries(spec: ClusterSpec) -> Iterator[Problem]:
    registries = spec.preparation.registries
    counts = Counter(registry.host for registry in registries)
    for index, registry in enumerate(registries):
        path: Place = (_SECTION, "registries", index)
        every = registry.host == EVERY_REGISTRY
        if not every and not _HOST.fullmatch(registry.host):
            yield Problem((*path, "host"), f"is {registry.host!r}; write HOST or HOST:PORT, or * for every registry")
        if counts[registry.host] > 1:
            yield Problem((*path, "host"), f"is {registry.host!r} more than once; put all of it into one entry")
        if every and (registry.credentials_file is not None or registry.ca_file is not None):
            yield Problem(path, "is for every registry, and a key or an authority is one's own; name the host")
        for number, url in enumerate(registry.mirrors):
            yield from _check_url((*path, "mirrors", number), url, credentials="an entry of its own for that host")


def _check_url(path: Place, url: str, *, credentials: str = "") -> Iterator[Problem]:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        remedy = f"; give them by {credentials}" if credentials else ""
        yield Problem(path, f"holds a user name or password, and nothing secret stands in a spec{remedy}")
    elif parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!#-&(-~]+", url):
        yield Problem(path, f"is {url!r}; it must be an http or https address")


def read_named_files(spec: ClusterSpec, base_dir: Path) -> Mapping[Path, Secret]:
    """The contents of the files that the section names, by their path as written.

    Relative paths start at *base_dir*.  ConfigError for every file that cannot be read, or is no USER:PASSWORD.
    """
    found, problems = {}, []
    preparation = spec.preparation
    credentials = {preparation.proxy.credentials_file, *(each.credentials_file for each in preparation.registries)}
    for path in dict.fromkeys(preparation.files):
        try:
            content = (base_dir / path.expanduser()).read_bytes()
        except OSError as error:
            problems.append(f"{_SECTION} names the file {path}, which cannot be read: {error.strerror}")
            continue
        if path in credentials:
            content = content.strip()
            if content.count(b"\n") or not all(content.partition(b":")):
                problems.append(f"{_SECTION} names the file {path}, which must hold one line: USER:PASSWORD")
        found[path] = Secret(content)
    if problems:
        raise ConfigError(problems)
    return found
