"""Release: the Kubernetes software of one version, as a directory tree that nodes can see or be given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from attrs import field, frozen

from kubo_sdk.model.version import KubernetesVersion

NODE_RELEASES = PurePosixPath("/opt/kubo/releases")

KUBERNETES_BINARIES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)


@frozen(kw_only=True)
class CarriedRelease:
    """Which release a machine was given: its versions, and what its tree is called."""

    kubernetes: KubernetesVersion
    etcd: str
    tree: str

    def __str__(self) -> str:
        return f"{self.kubernetes} ({self.tree})"


@frozen(kw_only=True)
class Release:
    """A complete, verified release.

    ``tree`` is a directory on this host holding ``bin/`` (the Kubernetes binaries, and etcd's where the release brings
    its own) and ``images/*.tar`` (container images every worker loads, the pause image first among them).
    ``digest`` names the content; the tree lies on a node at ``/opt/kubo/releases/<name of the tree>``.  ``dockerless``:
    its kubelet does not look for Docker.
    """

    version: KubernetesVersion
    source: str
    digest: str
    tree: Path
    etcd_version: str
    pause_image: str
    images: tuple[str, ...] = ()
    stemcell_binaries: Mapping[str, str] = field(factory=dict, hash=False)
    dockerless: bool = False

    @property
    def node_path(self) -> PurePosixPath:
        """Where the tree lies on a node.  The tree is named by its content, so two releases never share a path."""
        return NODE_RELEASES / self.tree.name

    @property
    def carried(self) -> CarriedRelease:
        """What a machine remembers of it."""
        return CarriedRelease(kubernetes=self.version, etcd=self.etcd_version, tree=self.tree.name)

    def binary(self, name: str) -> str:
        """Where the program *name* lies on a node: in the release, or in the stemcell where the release has none."""
        return self.stemcell_binaries.get(name) or f"{self.node_path}/bin/{name}"

    def image(self, archive: str) -> str:
        """Where the image archive lies on a node."""
        return f"{self.node_path}/images/{archive}"
