"""The scheduler of a master."""

from __future__ import annotations

from kubo_sdk.nodes import accounts, paths
from kubo_sdk.nodes.controller_manager import AFTER_APISERVER, CONTROL_PLANE, local_api
from kubo_sdk.nodes.credential_files import certificate_files, kubeconfig_file
from kubo_sdk.nodes.flags import flags_for
from kubo_sdk.nodes.gates import SCHEDULER
from kubo_sdk.ports.node import Contribution, NodeContext, StartAfter, Unit
from kubo_sdk.systemd import HARDENED, service

WHO = "scheduler"


def scheduler(context: NodeContext) -> Contribution:
    """The scheduler.  Its serving certificate is the controller manager's: one account, one machine, loopback only."""
    files = (
        kubeconfig_file(WHO, local_api(context)),
        *certificate_files(context, WHO, f"{paths.PKI}/{WHO}", accounts.KUBE),
    )
    serving = (f"{CONTROL_PLANE}.crt", f"{CONTROL_PLANE}.key")
    unit = Unit(
        name="kube-scheduler.service",
        text=_unit(context),
        restart_on=(*(file.path for file in files), *serving, paths.CA, paths.FRONT_PROXY_CA),
        start_after=StartAfter.ETCD,
    )
    return Contribution(files=files, units=(unit,))


def _unit(context: NodeContext) -> str:
    kubernetes = context.spec.kubernetes
    flags = flags_for(SCHEDULER, kubernetes.version.minor, _flags(), kubernetes.extra_args.get(SCHEDULER))
    return service(
        description=f"Kubernetes scheduler of {context.spec.id}",
        command=(context.release.binary("kube-scheduler"), *flags),
        unit=AFTER_APISERVER,
        settings={**HARDENED, "User": accounts.KUBE},
    )


def _flags() -> dict[str, str]:
    kubeconfig = paths.kubeconfig(WHO)
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "client-ca-file": paths.CA,
        "requestheader-client-ca-file": paths.FRONT_PROXY_CA,
        "bind-address": "127.0.0.1",
        "tls-cert-file": f"{CONTROL_PLANE}.crt",
        "tls-private-key-file": f"{CONTROL_PLANE}.key",
        "tls-min-version": "VersionTLS12",
        "profiling": "false",
        "leader-elect": "true",
        # Closes the unencrypted port of old versions; new ones have neither.
        "port": "0",
    }
