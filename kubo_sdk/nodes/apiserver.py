"""The API server of a master."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from kubo_sdk.model.secret import Secret
from kubo_sdk.nodes import accounts, paths
from kubo_sdk.nodes.audit import AUDIT_LOG, AUDIT_POLICY, audit_policy_file
from kubo_sdk.nodes.credential_files import OWNER_ONLY, authority_file, certificate_files
from kubo_sdk.nodes.etcd import endpoints
from kubo_sdk.nodes.flags import flags_for
from kubo_sdk.nodes.gates import APISERVER
from kubo_sdk.pki.successors import trusted_keys
from kubo_sdk.planning.rotation import ENCRYPTION_KEY, SERVICE_ACCOUNT
from kubo_sdk.ports.credentials import KeyPair, Text
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, StartAfter, Unit
from kubo_sdk.systemd import HARDENED, command_line, service

SERVING = f"{paths.PKI}/apiserver"
ETCD_CLIENT = f"{paths.PKI}/etcd-client"
KUBELET_CLIENT = f"{paths.PKI}/kubelet-client"
FRONT_PROXY_CLIENT = f"{paths.PKI}/front-proxy-client"
ENCRYPTION = "/etc/kubernetes/encryption.yaml"

READY_SECONDS = 60

LAST_MINOR_WITH_MOUNTED_SECRETS = 20

# Told to stop, it says that it is not ready, and serves on so long: those in front of it send nobody to it any more.
SHUTDOWN_DELAY = "shutdown-delay-duration"
SHUTDOWN_DELAY_SECONDS = 2
# Then it ends what it was asked, and waits for watches that never end.
LAST_ANSWERS_SECONDS = 5


def apiserver(context: NodeContext) -> Contribution:
    """The API server of this instance, what it needs of the PKI, and its unit."""
    files = (
        *_certificates(context),
        *_service_account_files(context),
        encryption_file(*(key.text for key in trusted_keys(context.credentials, ENCRYPTION_KEY, Text))),
        *((audit_policy_file(),) if context.spec.kubernetes.audit else ()),
    )
    unit = Unit(
        name="kube-apiserver.service",
        text=_unit(context),
        restart_on=tuple(file.path for file in files),
        start_after=StartAfter.ETCD,
    )
    return Contribution(files=(accounts.account(accounts.KUBE, "Kubernetes control plane"), *files), units=(unit,))


def _certificates(context: NodeContext) -> tuple[NodeFile, ...]:
    kube, serving = accounts.KUBE, f"apiserver-{context.instance.slug}"
    return (
        authority_file(context, serving, paths.CA),
        authority_file(context, "front-proxy-client", paths.FRONT_PROXY_CA),
        authority_file(context, "etcd-client", paths.ETCD_CA),
        *certificate_files(context, serving, SERVING, kube),
        *certificate_files(context, "kubelet-client", KUBELET_CLIENT, kube),
        *certificate_files(context, "front-proxy-client", FRONT_PROXY_CLIENT, kube),
        *certificate_files(context, "etcd-client", ETCD_CLIENT, kube),
    )


def _service_account_files(context: NodeContext) -> tuple[NodeFile, NodeFile]:
    pair, *others = trusted_keys(context.credentials, SERVICE_ACCOUNT, KeyPair)
    known = [f"{each.public_key.rstrip()}\n" for each in (pair, *others)] if others else [pair.public_key]
    return (
        NodeFile(path=paths.SERVICE_ACCOUNT_PUBLIC_KEY, content="".join(known)),
        NodeFile(path=paths.SERVICE_ACCOUNT_KEY, content=pair.private_key, mode=OWNER_ONLY, owner=accounts.KUBE),
    )


def encryption_file(*passwords: Secret) -> NodeFile:
    """Secrets are written with a key made of the first password; what was written with another, or in the clear, can
    still be read.

    A key's name is made of the key, so that a new key is a new name.
    """
    content = f"""\
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox:
      keys:
{"".join(_encryption_key(password) for password in passwords)}\
  - identity: {{}}
"""
    return NodeFile(path=ENCRYPTION, content=Secret(content), mode=OWNER_ONLY, owner=accounts.KUBE)


def _encryption_key(password: Secret) -> str:
    key = hashlib.sha256(password.reveal_bytes()).digest()
    name = f"key-{hashlib.sha256(key).hexdigest()[:8]}"
    return f"      - name: {name}\n        secret: {base64.b64encode(key).decode()}\n"


def _unit(context: NodeContext) -> str:
    kubernetes = context.spec.kubernetes
    flags = flags_for(APISERVER, kubernetes.version.minor, _flags(context), kubernetes.extra_args.get(APISERVER))
    return service(
        description=f"Kubernetes API server of {context.spec.id}",
        command=(context.release.binary("kube-apiserver"), *flags),
        settings={
            **HARDENED,
            # The daemons beside it start when it has made its own roles.  Before that they may do nothing, and would
            # wait seconds before they ask again.
            "Type": "notify",
            "ExecStartPost": f"-{command_line(_until_ready(kubernetes.api_port))}",
            "TimeoutStartSec": "infinity",
            **_stop_bound(kubernetes.extra_args.get(APISERVER, {})),
            "User": accounts.KUBE,
            "LogsDirectory": "kubernetes",
            "LogsDirectoryMode": "0750",
        },
    )


def _stop_bound(extra_args: Mapping[str, str]) -> dict[str, str]:
    """Who sets a delay of their own gets systemd's bound, which is longer than any sensible one."""
    if SHUTDOWN_DELAY in extra_args:
        return {}
    return {"TimeoutStopSec": str(SHUTDOWN_DELAY_SECONDS + LAST_ANSWERS_SECONDS)}


def _until_ready(port: int) -> tuple[str, ...]:
    """A command that ends when the API server calls itself ready, or after a while, or at once without curl."""
    ask = f"curl --silent --fail --output /dev/null --max-time 2 --cacert {paths.CA} https://127.0.0.1:{port}/readyz"
    loop = f"command -v curl >/dev/null || exit 0; until {ask}; do sleep 0.1; done"
    return ("/usr/bin/timeout", str(READY_SECONDS), "/bin/sh", "-c", loop)


def _flags(context: NodeContext) -> dict[str, str]:
    network = context.spec.network
    return {
        "advertise-address": context.address,
        "secure-port": str(context.spec.kubernetes.api_port),
        "tls-cert-file": f"{SERVING}.crt",
        "tls-private-key-file": f"{SERVING}.key",
        "tls-min-version": "VersionTLS12",
        "profiling": "false",
        SHUTDOWN_DELAY: f"{SHUTDOWN_DELAY_SECONDS}s",
        **_who_may(),
        **_etcd_flags(context),
        **_kubelet_flags(),
        **_service_account_flags(context),
        **_front_proxy_flags(),
        "service-cluster-ip-range": str(network.services),
        "service-node-port-range": "{}-{}".format(*network.node_ports),
        **(_audit_flags() if context.spec.kubernetes.audit else {}),
    }


def _who_may() -> dict[str, str]:
    return {
        "client-ca-file": paths.CA,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
    }


def _etcd_flags(context: NodeContext) -> dict[str, str]:
    return {
        "etcd-servers": endpoints(context),
        "etcd-cafile": paths.ETCD_CA,
        "etcd-certfile": f"{ETCD_CLIENT}.crt",
        "etcd-keyfile": f"{ETCD_CLIENT}.key",
        "encryption-provider-config": ENCRYPTION,
    }


def _kubelet_flags() -> dict[str, str]:
    return {
        "kubelet-client-certificate": f"{KUBELET_CLIENT}.crt",
        "kubelet-client-key": f"{KUBELET_CLIENT}.key",
        "kubelet-certificate-authority": paths.CA,
        "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
    }


def _service_account_flags(context: NodeContext) -> dict[str, str]:
    return {
        "service-account-issuer": f"https://kubernetes.default.svc.{context.spec.network.domain}",
        "service-account-key-file": paths.SERVICE_ACCOUNT_PUBLIC_KEY,
        "service-account-signing-key-file": paths.SERVICE_ACCOUNT_KEY,
        **_lookup_flags(context),
    }


def _lookup_flags(context: NodeContext) -> dict[str, str]:
    """Up to 1.20 every pod shows a token out of a Secret, and has the new one a while after the Secret has it.

    With the lookup, an API server takes only what is in the Secret.
    """
    rotated = len(trusted_keys(context.credentials, SERVICE_ACCOUNT, KeyPair)) > 1
    mounted = context.spec.kubernetes.version.minor <= LAST_MINOR_WITH_MOUNTED_SECRETS
    return {"service-account-lookup": "false"} if rotated and mounted else {}


def _front_proxy_flags() -> dict[str, str]:
    return {
        "requestheader-client-ca-file": paths.FRONT_PROXY_CA,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": f"{FRONT_PROXY_CLIENT}.crt",
        "proxy-client-key-file": f"{FRONT_PROXY_CLIENT}.key",
        # Masters run no kube-proxy: aggregated requests go to a pod's own address, not to the service's.
        "enable-aggregator-routing": "true",
    }


def _audit_flags() -> dict[str, str]:
    return {
        "audit-policy-file": AUDIT_POLICY,
        "audit-log-path": AUDIT_LOG,
        "audit-log-maxage": "30",
        "audit-log-maxbackup": "10",
        "audit-log-maxsize": "100",
    }
