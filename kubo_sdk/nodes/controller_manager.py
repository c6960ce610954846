"""The controller manager of a master.  It holds no authority's key: the director signs, so nothing here does."""

from __future__ import annotations

from kubo_sdk.nodes import accounts, paths
from kubo_sdk.nodes.credential_files import certificate_files, kubeconfig_file
from kubo_sdk.nodes.flags import flags_for
from kubo_sdk.nodes.gates import CONTROLLER_MANAGER
from kubo_sdk.ports.node import Contribution, NodeContext, StartAfter, Unit
from kubo_sdk.systemd import HARDENED, service

WHO = "controller-manager"
CONTROL_PLANE = f"{paths.PKI}/control-plane"

# Beside the API server of its own machine: systemd starts it when that one listens.
AFTER_APISERVER = {"After": "kube-apiserver.service"}


def controller_manager(context: NodeContext, *, node_cidrs: bool) -> Contribution:
    """The controller manager.  *node_cidrs*: it gives every Node a range of the pod network."""
    files = (
        kubeconfig_file(WHO, local_api(context)),
        *certificate_files(context, WHO, f"{paths.PKI}/{WHO}", accounts.KUBE),
        *certificate_files(context, f"control-plane-{context.instance.slug}", CONTROL_PLANE, accounts.KUBE),
    )
    unit = Unit(
        name="kube-controller-manager.service",
        text=_unit(context, node_cidrs),
        restart_on=(*(file.path for file in files), paths.CA, paths.FRONT_PROXY_CA, paths.SERVICE_ACCOUNT_KEY),
        start_after=StartAfter.ETCD,
    )
    return Contribution(files=files, units=(unit,))


def local_api(context: NodeContext) -> str:
    """The API server of the same machine."""
    return f"https://127.0.0.1:{context.spec.kubernetes.api_port}"


def _unit(context: NodeContext, node_cidrs: bool) -> str:
    kubernetes = context.spec.kubernetes
    flags = flags_for(
        CONTROLLER_MANAGER,
        kubernetes.version.minor,
        {**_flags(context), **(_node_cidr_flags(context) if node_cidrs else {})},
        kubernetes.extra_args.get(CONTROLLER_MANAGER),
    )
    return service(
        description=f"Kubernetes controller manager of {context.spec.id}",
        command=(context.release.binary("kube-controller-manager"), *flags),
        unit=AFTER_APISERVER,
        settings={**HARDENED, "User": accounts.KUBE},
    )


def _flags(context: NodeContext) -> dict[str, str]:
    kubeconfig = paths.kubeconfig(WHO)
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "client-ca-file": paths.CA,
        "requestheader-client-ca-file": paths.FRONT_PROXY_CA,
        "root-ca-file": paths.CA,
        "bind-address": "127.0.0.1",
        "tls-cert-file": f"{CONTROL_PLANE}.crt",
        "tls-private-key-file": f"{CONTROL_PLANE}.key",
        "tls-min-version": "VersionTLS12",
        "profiling": "false",
        "leader-elect": "true",
        "cluster-name": context.spec.name,
        "use-service-account-credentials": "true",
        "service-account-private-key-file": paths.SERVICE_ACCOUNT_KEY,
        "controllers": "*,-csrsigning,-csrapproving",
        # Closes the unencrypted port of old versions; new ones have neither.
        "port": "0",
    }


def _node_cidr_flags(context: NodeContext) -> dict[str, str]:
    network = context.spec.network
    return {
        "allocate-node-cidrs": "true",
        "cluster-cidr": str(network.pods),
        "service-cluster-ip-range": str(network.services),
    }
