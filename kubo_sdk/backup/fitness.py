"""Whether a backup can be restored into a cluster as its spec describes it.  Pure."""

from __future__ import annotations

from kubo_sdk.backup.manifest import Manifest
from kubo_sdk.errors import UnsafePlan
from kubo_sdk.model.release import Release
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.version import KubernetesVersion


def check_fits(manifest: Manifest, spec: ClusterSpec, release: Release | None, what: str) -> None:
    """Raise UnsafePlan when *what* is of another cluster, or was written by newer software than *spec* runs."""
    if manifest.cluster != str(spec.id):
        raise UnsafePlan(
            f"{what} is of cluster {manifest.cluster}, and this is {spec.id}; its names and credentials would not fit, "
            "so restore it with the spec of that cluster"
        )
    wrote, runs = KubernetesVersion.parse(manifest.kubernetes_version), spec.kubernetes.version
    if wrote.minor > runs.minor:
        raise UnsafePlan(
            f"{what} was written by Kubernetes {wrote}, which {runs} cannot read; set kubernetes.version to {wrote}"
        )
    if release is not None and _minor(manifest.etcd_version) > _minor(release.etcd_version):
        raise UnsafePlan(
            f"{what} was written by etcd {manifest.etcd_version}, which {release.etcd_version} cannot read; "
            "set kubernetes.version to one that brings the newer etcd"
        )


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
