"""A cluster of the default shape with addresses and stand-in credentials, to render any of its machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec, NodeNames
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.nodes.render import render
from kubo_sdk.pki.identities import needed_by
from kubo_sdk.ports.credentials import Certificate, Credential, CredentialValue, KeyPair, Kind, Text, User
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.ports.node import Contribution, NodeContext
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.releases.companions import STEMCELL_ETCD, STEMCELL_ETCD_VERSION, companions

OVERLAY = OverlayInfo(etcd_prefixes=("/coreos.com/network/",))

RenderInstance = Callable[..., NodeManifest]


def stand_in(leaf: str) -> Credential:
    """A credential that says its own name, so that a golden file shows where it went."""
    value: CredentialValue = Certificate(
        certificate=f"<certificate {leaf}>\n",
        private_key=Secret(f"<secret key {leaf}>\n"),
        ca=f"<authority of {leaf}>\n",
    )
    kind = Kind.CERTIFICATE
    if leaf == "service-account":
        value = KeyPair(public_key=f"<public key {leaf}>\n", private_key=Secret(f"<secret key {leaf}>\n"))
        kind = Kind.RSA
    elif leaf == "encryption-key":
        value, kind = Text(text=Secret(f"<secret {leaf}>")), Kind.PASSWORD
    elif leaf == "etcd-overlay":
        value, kind = User(username="kubo-overlay", password=Secret(f"<secret {leaf}>")), Kind.USER
    return Credential(
        name=f"/kubo/demo/{leaf}", kind=kind, version="1", created_at=datetime(2026, 1, 1, tzinfo=UTC), value=value
    )


def demo_release(version: KubernetesVersion) -> Release:
    """Debian's own for 1.20, as the local CPI uses it; upstream's companions for the rest."""
    tree = Path(f"/var/cache/kubo/kubernetes-{version}")
    if version.minor == 20:
        return Release(
            version=version,
            source="debian",
            digest="d",
            tree=tree,
            etcd_version=STEMCELL_ETCD_VERSION,
            pause_image="kubo.local/pause:3.2",
            images=("pause.tar", "busybox.tar"),
            stemcell_binaries=STEMCELL_ETCD,
        )
    those = companions(version)
    return Release(
        version=version,
        source="upstream",
        digest="d",
        tree=tree,
        etcd_version=those.etcd_version,
        pause_image=those.pause_image,
        images=("pause.tar",),
    )


def demo_spec(version: str = "1.20.2", **kubernetes: Any) -> ClusterSpec:
    return ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse(version), **kubernetes))


def demo_context(spec: ClusterSpec, instance: Instance, overlay: OverlayInfo = OVERLAY) -> NodeContext:
    addresses = {each.id: f"10.0.0.{10 + number}" for number, each in enumerate(spec.instances())}
    address = addresses[instance.id]
    return NodeContext(
        spec=spec,
        instance=instance,
        address=address,
        addresses=addresses,
        node_name=address if spec.kubernetes.node_names is NodeNames.ADDRESS else instance.slug,
        provider_id=f"kubo://local/demo/{instance.slug}",
        api=Endpoint(name="api", host=addresses["proxy/0"], port=8443),
        endpoints=(),
        release=demo_release(spec.kubernetes.version),
        ca="-----BEGIN CERTIFICATE-----",
        credentials={leaf: stand_in(leaf) for leaf in needed_by(spec, instance, overlay)},
    )


@pytest.fixture
def render_instance() -> RenderInstance:
    """Renders one instance of the demo cluster: ``render_instance("worker/0", "1.36.0", audit=False)``."""

    def run(
        id: str,
        version: str = "1.20.2",
        contributions: tuple[Contribution, ...] = (),
        overlay: OverlayInfo = OVERLAY,
        **kubernetes: Any,
    ) -> NodeManifest:
        spec = demo_spec(version, **kubernetes)
        instance = next(each for each in spec.instances() if each.id == id)
        return render(demo_context(spec, instance, overlay), contributions, overlay)

    return run


@pytest.fixture
def roles() -> Mapping[Role, str]:
    """One instance of every role."""
    return {role: f"{role}/0" for role in Role}
