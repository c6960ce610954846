"""A tiny release and a spec for the fakes: nothing of Kubernetes is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve

from kubo_sdk.model.release import KUBERNETES_BINARIES
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup, KubernetesSpec, ProviderChoice, default_groups
from kubo_sdk.model.version import KubernetesVersion

VERSION = "1.30.2"
NAME = "fake"


def fake_release(directory: Path, version: str = VERSION, *, etcd: str = "", build: str = "") -> ProviderChoice:
    """Write files that the release source ``directory`` takes for Kubernetes; return the choice of that source.

    With the version of an *etcd* it brings its own.  Another *build* is other content of the same version.

    Files that are there already are left alone, so that a copy in a cache stays good.
    """
    programs = directory / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in KUBERNETES_BINARIES:
        _write(programs / name, f"{name} {version} {build}".rstrip() + "\n")
    for name in ("etcd", "etcdctl") if etcd else ():
        # It is asked for its version.
        _write(programs / name, f"#!/bin/sh\necho {name} Version: {etcd}\n")
        (programs / name).chmod(0o755)
    _write(directory / "VERSION", f"v{version}\n")
    return ProviderChoice(provider="directory", options={"path": str(directory)})


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def fake_spec(directory: Path, *, name: str = "fakes", version: str = VERSION, **changes: Any) -> ClusterSpec:
    """A spec with the fakes everywhere and a tiny release in *directory*; *changes* replaces fields of the spec."""
    choice = ProviderChoice(provider=NAME)
    spec = ClusterSpec(
        name=name,
        kubernetes=KubernetesSpec(version=KubernetesVersion.parse(version), source=fake_release(directory, version)),
        cpi=choice,
        credential_store=choice,
        dns=choice,
        overlay=choice,
        ingress=choice,
        cluster_dns=choice,
    )
    return evolve(spec, **changes)


def sized(
    *, etcd: int = 3, master: int = 2, worker: int = 3, proxy: int = 1, azs: tuple[str, ...] = ("z1",)
) -> tuple[InstanceGroup, ...]:
    """The default groups with other numbers of instances, striped over *azs*.  A group of none is left out."""
    counts = {"etcd": etcd, "master": master, "worker": worker, "proxy": proxy}
    return tuple(
        evolve(group, instances=counts[group.name], azs=azs) for group in default_groups() if counts[group.name]
    )
