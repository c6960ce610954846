"""Identities: the table of every credential of a cluster, and which machine may see which.  Pure; makes nothing.

Three authorities sign: ``ca`` for Kubernetes, ``etcd-ca`` for etcd and ``front-proxy-ca`` for the aggregation layer.
None of their keys ever leaves the credential store.  ``super-admin`` alone is in ``system:masters``, which no rule can
take away again: it makes the first bindings and is for emergencies.  Everybody else has the rights of a binding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from attrs import frozen

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cluster_dns import ClusterDnsInfo
from kubo_sdk.ports.credentials import (
    CertificateParameters,
    Parameters,
    PasswordParameters,
    RsaParameters,
    UserParameters,
)
from kubo_sdk.ports.ingress import Endpoint, IngressInfo
from kubo_sdk.ports.overlay import OverlayInfo

ADMIN_GROUP = "kubo:cluster-admins"
KUBELET_CLIENT_USER = "kube-apiserver-kubelet-client"
ETCD_CLIENT_USER = "kube-apiserver-etcd-client"
ETCD_OVERLAY_USER = "kubo-overlay"

NO_CLUSTER_DNS = ClusterDnsInfo()
NO_INGRESS = IngressInfo()

CA_DAYS = 3650

# 64 letters and digits hold 381 bits; SHA-256 makes the 32 bytes of a secretbox key of them.
ENCRYPTION_KEY_LENGTH = 64

_OF_A_MACHINE = re.compile(
    r"(etcd-server|etcd-peer|etcd-overlay|overlay-gate|apiserver|control-plane|kubelet|kubelet-server|kube-proxy|overlay"
    r"|cluster-dns|ingress)-.+-[0-9]+"
)

_LEAF_USAGE = ("digital_signature", "key_encipherment")
_CA_USAGE = ("key_cert_sign", "crl_sign")
_SERVER = ("server_auth",)
_CLIENT = ("client_auth",)
# etcd's REST gateway dials its own port and shows the server certificate as its client certificate.
_BOTH = ("server_auth", "client_auth")


@frozen(kw_only=True)
class Wanted:
    """One credential, as wished for.  ``leaf`` is its name below the cluster's own path."""

    leaf: str
    parameters: Parameters


def cluster_credentials(spec: ClusterSpec, overlay: OverlayInfo) -> tuple[Wanted, ...]:
    """Every credential that names no machine, authorities first."""
    wanted = [
        _authority("ca", "kubernetes-ca"),
        _authority("etcd-ca", "etcd-ca"),
        _authority("front-proxy-ca", "kubernetes-front-proxy-ca"),
        Wanted(leaf="service-account", parameters=RsaParameters()),
        Wanted(leaf="encryption-key", parameters=PasswordParameters(length=ENCRYPTION_KEY_LENGTH)),
        Wanted(leaf="etcd-root", parameters=UserParameters(username="root")),
        _client(spec, "super-admin", "kubernetes-super-admin", organization="system:masters"),
        _client(spec, "admin", "kubernetes-admin", organization=ADMIN_GROUP),
        _client(spec, "kubelet-client", KUBELET_CLIENT_USER),
        _client(spec, "controller-manager", "system:kube-controller-manager"),
        _client(spec, "scheduler", "system:kube-scheduler"),
        _client(spec, "front-proxy-client", "front-proxy-client", ca="front-proxy-ca"),
        _client(spec, "etcd-client", ETCD_CLIENT_USER, ca="etcd-ca"),
        # etcd's REST gateway refuses clients with a common name: the director and the overlay log in by password.
        _client(spec, "director-etcd", None, organization="kubo:director", ca="etcd-ca"),
    ]
    if overlay.etcd_prefixes:
        wanted.append(Wanted(leaf="etcd-overlay", parameters=UserParameters(username=ETCD_OVERLAY_USER)))
    return tuple(wanted)


def instance_credentials(  # noqa: PLR0917
    spec: ClusterSpec,
    instance: Instance,
    address: str,
    api: Endpoint,
    overlay: OverlayInfo,
    node_name: str,
    cluster_dns: ClusterDnsInfo = NO_CLUSTER_DNS,
    ingress: IngressInfo = NO_INGRESS,
) -> tuple[Wanted, ...]:
    """Every credential of one machine.  *node_name* is what a worker is called as a Node."""
    own = (address, instance.slug, spec.hostname(instance))
    if instance.role is Role.ETCD:
        return _etcd(spec, instance, (*own, "127.0.0.1", "localhost"), overlay)
    if instance.role is Role.MASTER:
        return _master(spec, instance, own, api, ingress.kubernetes_user)
    if instance.role is Role.WORKER:
        users = {"overlay": overlay.kubernetes_user, "cluster-dns": cluster_dns.kubernetes_user}
        return _worker(spec, instance, own, users, node_name)
    return ()


def needed_by(
    spec: ClusterSpec,  # noqa: ARG001 (it may come to decide)
    instance: Instance,
    overlay: OverlayInfo,
    cluster_dns: ClusterDnsInfo = NO_CLUSTER_DNS,
    ingress: IngressInfo = NO_INGRESS,
) -> tuple[str, ...]:
    """The leaves whose values the machine of *instance* may see."""
    slug = instance.slug
    if instance.role is Role.ETCD:
        own = (f"etcd-server-{slug}", f"etcd-peer-{slug}")
        return (*own, "etcd-overlay", f"etcd-overlay-{slug}", f"overlay-gate-{slug}") if overlay.etcd_prefixes else own
    if instance.role is Role.MASTER:
        shared = ("kubelet-client", "controller-manager", "scheduler", "front-proxy-client", "etcd-client")
        registers = (f"ingress-{slug}",) if ingress.kubernetes_user else ()
        return (f"apiserver-{slug}", f"control-plane-{slug}", *shared, "service-account", "encryption-key", *registers)
    if instance.role is Role.WORKER:
        leaves = [f"kubelet-{slug}", f"kubelet-server-{slug}", f"kube-proxy-{slug}"]
        if overlay.kubernetes_user:
            leaves.append(f"overlay-{slug}")
        if cluster_dns.kubernetes_user:
            leaves.append(f"cluster-dns-{slug}")
        return tuple(leaves)
    return ()


def stray_credentials(
    spec: ClusterSpec,
    overlay: OverlayInfo,
    leaves: Iterable[str],
    cluster_dns: ClusterDnsInfo = NO_CLUSTER_DNS,
    ingress: IngressInfo = NO_INGRESS,
) -> tuple[str, ...]:
    """Those of *leaves* that belong to machines of instances the spec does not list."""
    infos = (overlay, cluster_dns, ingress)
    wished = {leaf for instance in spec.instances() for leaf in needed_by(spec, instance, *infos)}
    return tuple(sorted(leaf for leaf in leaves if _OF_A_MACHINE.fullmatch(leaf) and leaf not in wished))


def _etcd(spec: ClusterSpec, instance: Instance, names: tuple[str, ...], overlay: OverlayInfo) -> tuple[Wanted, ...]:
    slug = instance.slug
    wanted = [
        _certificate(spec, f"etcd-{kind}-{slug}", slug, ca="etcd-ca", usage=_BOTH, alternatives=names)
        for kind in ("server", "peer")
    ]
    if overlay.etcd_prefixes:
        # Whoever holds a certificate etcd trusts can get around etcd's rights, so no worker does: workers come to a
        # gate of the overlay's on this machine, with a certificate of the cluster's own CA.
        wanted.append(_client(spec, f"etcd-overlay-{slug}", None, organization="kubo:overlay", ca="etcd-ca"))
        wanted.append(_certificate(spec, f"overlay-gate-{slug}", slug, usage=_SERVER, alternatives=names))
    return tuple(wanted)


def _master(
    spec: ClusterSpec, instance: Instance, own: tuple[str, ...], api: Endpoint, ingress_user: str | None
) -> tuple[Wanted, ...]:
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    loopback = ("127.0.0.1", "localhost")
    names = (
        *own,
        *loopback,
        *service,
        f"kubernetes.default.svc.{spec.network.domain}",
        str(spec.network.api_service),
        f"api.{spec.domain}",
        api.host,
    )
    slug = instance.slug
    wanted = (
        _certificate(spec, f"apiserver-{slug}", "kube-apiserver", usage=_SERVER, alternatives=names),
        _certificate(spec, f"control-plane-{slug}", slug, usage=_SERVER, alternatives=loopback),
    )
    return (*wanted, _client(spec, f"ingress-{slug}", ingress_user)) if ingress_user else wanted


def _worker(
    spec: ClusterSpec, instance: Instance, own: tuple[str, ...], users: Mapping[str, str | None], node_name: str
) -> tuple[Wanted, ...]:
    slug = instance.slug
    node = f"system:node:{node_name.lower()}"
    wanted = [
        _client(spec, f"kubelet-{slug}", node, organization="system:nodes"),
        _certificate(
            spec,
            f"kubelet-server-{slug}",
            node,
            organization="system:nodes",
            usage=_SERVER,
            alternatives=(*own, node_name),
        ),
        _client(spec, f"kube-proxy-{slug}", "system:kube-proxy"),
    ]
    wanted += [_client(spec, f"{leaf}-{slug}", user) for leaf, user in users.items() if user]
    return tuple(wanted)


def _authority(leaf: str, common_name: str) -> Wanted:
    return Wanted(
        leaf=leaf,
        parameters=CertificateParameters(
            common_name=common_name, key_usage=_CA_USAGE, is_ca=True, duration_days=CA_DAYS
        ),
    )


def _client(
    spec: ClusterSpec, leaf: str, common_name: str | None, *, organization: str | None = None, ca: str = "ca"
) -> Wanted:
    return _certificate(spec, leaf, common_name, organization=organization, ca=ca, usage=_CLIENT)


def _certificate(
    spec: ClusterSpec,
    leaf: str,
    common_name: str | None,
    *,
    usage: tuple[str, ...],
    organization: str | None = None,
    ca: str = "ca",
    alternatives: tuple[str, ...] = (),
) -> Wanted:
    return Wanted(
        leaf=leaf,
        parameters=CertificateParameters(
            common_name=common_name,
            organization=organization,
            alternative_names=tuple(dict.fromkeys(alternatives)),
            key_usage=_LEAF_USAGE,
            extended_key_usage=usage,
            ca=spec.id.credential(ca),
        ),
    )
