"""What a machine of a role lacks that starts from a stock image, and the orders that give it that.  Pure.

What a preparation is called, its digest, is what it leaves on the machine.  Where packages came from leaves nothing, so
another mirror changes no machine that has them.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from kubo_sdk.model.instance import Role
from kubo_sdk.model.preparation_spec import PackagesSpec
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.machine import STATE
from kubo_sdk.nodes.registries import NamedFiles, no_proxy, proxy_urls

# Counted up when a prepared machine has to be prepared anew.
VERSION = 1

LOCK_SECONDS = 600
CLOCK_SECONDS = 60
ROOM_MB = 1024

# What the core's own scripts and units run, beside what every image has.
BASE = ("ca-certificates", "curl", "iproute2", "kmod", "procps")
WORKER = ("conntrack", "containerd", "containernetworking-plugins", "ebtables", "ethtool", "iptables", "runc", "socat")
# For releases whose etcd is that of the machine.
ETCD = ("etcd-client", "etcd-server")


@frozen(kw_only=True)
class Preparation:
    """``packages``: by name, sorted.  ``proxy``: by the name programs read it under."""

    packages: tuple[str, ...]
    source: PackagesSpec
    key: Secret | None = field(default=None, repr=False)
    proxy: Mapping[str, Secret] = field(factory=dict, repr=False, hash=False)
    no_proxy: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.packages)


def packages_of(spec: ClusterSpec, role: Role, release: Release, contributed: Iterable[str]) -> tuple[str, ...]:
    """Every package a machine of *role* needs by name; *contributed* are those of the providers."""
    own = {Role.WORKER: WORKER, Role.ETCD: ETCD if release.stemcell_binaries else ()}.get(role, ())
    return tuple(sorted({*BASE, *own, *contributed, *spec.preparation.packages.extra}))


def digest_of(packages: Iterable[str]) -> str:
    """What a preparation is called that leaves these packages on the machine."""
    return hashlib.sha256("\n".join((str(VERSION), *packages)).encode()).hexdigest()[:16]


def preparation(
    spec: ClusterSpec, role: Role, release: Release, contributed: Iterable[str], named: NamedFiles
) -> Preparation:
    """How a machine of *role* is prepared."""
    wanted = spec.preparation
    key = wanted.packages.key_file
    return Preparation(
        packages=packages_of(spec, role, release, contributed),
        source=wanted.packages,
        key=None if key is None else named[key],
        proxy=proxy_urls(wanted.proxy, named),
        no_proxy=no_proxy(spec) if wanted.proxy.is_set else (),
    )


def orders(
    wanted: Preparation,
    *,
    now: float,
    bundle: str = "",
    lock_seconds: int = LOCK_SECONDS,
    clock_seconds: int = CLOCK_SECONDS,
) -> bytes:
    """What `preparation_script.PREPARE` reads.

    *now*: the time in seconds since 1970.  *bundle*: where packages were sent to.  *lock_seconds*: how long another apt
    may go on; *clock_seconds*: how long a clock that is wrong may take to be set.
    """
    lines = [
        f"digest {wanted.digest}",
        f"now {int(now)}",
        f"source {wanted.source.source}",
        f"packages {' '.join(wanted.packages)}",
        f"room_mb {ROOM_MB}",
        f"lock_seconds {lock_seconds}",
        f"clock_seconds {clock_seconds}",
        *(f"apt {line}" for line in _sources(wanted)),
        *(f"{name} {url.reveal()}" for name, url in wanted.proxy.items()),
    ]
    if bundle:
        lines.append(f"bundle {bundle}")
    if wanted.no_proxy:
        lines.append(f"no_proxy {','.join(wanted.no_proxy)}")
    if wanted.key is not None:
        lines.append(f"key {_form(wanted.key)} {b64encode(wanted.key.reveal_bytes()).decode()}")
    return "".join(f"{line}\n" for line in lines).encode()


def _sources(wanted: Preparation) -> Iterable[str]:
    """The lines with the key that signs them, unless they name one."""
    for line in wanted.source.apt:
        kind, rest = line.split(" ", 1)
        if wanted.key is None or "signed-by=" in rest:
            yield line
            continue
        inside, closing, behind = rest.removeprefix("[").partition("]")
        options, where = (f"{inside} ", behind.strip()) if rest.startswith("[") and closing else ("", rest)
        yield f"{kind} [{options}signed-by={STATE}/apt/key.{_form(wanted.key)}] {where}"


def _form(key: Secret) -> str:
    """Which of its two forms a key has, apt tells by the ending of its file."""
    return "asc" if b"BEGIN PGP" in key.reveal_bytes() else "gpg"
