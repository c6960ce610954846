"""The kubelet of a worker."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from kubo_sdk.model.instance import Instance
from kubo_sdk.model.spec import NetworkSpec
from kubo_sdk.nodes import paths
from kubo_sdk.nodes.containerd import CGROUP_DRIVERS, OWNS_CGROUPS
from kubo_sdk.nodes.credential_files import authority_file, certificate_files, kubeconfig_file
from kubo_sdk.nodes.flags import flags_for, valid_only
from kubo_sdk.nodes.gates import KUBELET, KUBELET_CONFIG
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, StartAfter, Unit
from kubo_sdk.systemd import CGROUP, KNOWS_CGROUP, service

WHO = "kubelet"
INSTANCE_LABEL = "kubo/instance"
SERVING = f"{paths.PKI}/kubelet-server"
HEALTH_PORT = 10248
RUNTIME = f"unix://{paths.CONTAINERD_SOCKET}"

# Versions with Amazon's client built in ask a metadata service at every start, and wait eleven seconds where there is
# none.  A CPI whose machines have one turns this round in its machine environment.
NO_CLOUD_PROBES = "AWS_EC2_METADATA_DISABLED=true"

LAST_MINOR_WITH_SLOW_FIRST_STATUS = 26
LAST_MINOR_WITH_RUNTIME_FLAGS = 26
LAST_MINOR_WITH_DOCKER = 23


def kubelet(context: NodeContext) -> Contribution:
    """The kubelet, the certificates it shows to the API and to callers, and its unit."""
    slug = context.instance.slug
    files = (
        authority_file(context, f"kubelet-{slug}", paths.CA),
        kubeconfig_file(WHO, f"https://{context.api.host}:{context.api.port}"),
        *certificate_files(context, f"kubelet-{slug}", f"{paths.PKI}/{WHO}"),
        *certificate_files(context, f"kubelet-server-{slug}", SERVING),
        *config_files(context.spec.network, context.spec.kubernetes.version.minor),
    )
    unit = Unit(
        name="kubelet.service",
        text=_unit(context),
        restart_on=tuple(file.path for file in files),
        start_after=_start_after(context),
    )
    return Contribution(files=files, units=(unit,))


def _start_after(context: NodeContext) -> StartAfter:
    """With the API there, a Node is registered at once; without it a kubelet asks again less and less often.

    Up to 1.23 a kubelet first waits five seconds for Docker, so that one starts while the API comes up.
    """
    waits = context.spec.kubernetes.version.minor <= LAST_MINOR_WITH_DOCKER and not context.release.dockerless
    return StartAfter.BOOT if waits else StartAfter.API


def instance_labels(instance: Instance) -> dict[str, str]:
    """What joins a Node to its instance: never the name, which may be an address that was somebody else's before."""
    return {
        INSTANCE_LABEL: instance.slug,
        "kubo/group": instance.group,
        "topology.kubernetes.io/zone": instance.az,
    }


def node_labels(context: NodeContext) -> dict[str, str]:
    """The labels a Node is registered with."""
    return {**instance_labels(context.instance), **dict(context.spec.group(context.instance.group).labels)}


def config_path(cgroup: str) -> str:
    return f"/etc/kubernetes/kubelet-cgroup-{cgroup}.json"


# Every worker of a cluster has the same, so a thousand of them have it once.
@lru_cache(maxsize=16)
def config_files(network: NetworkSpec, minor: int) -> tuple[NodeFile, ...]:
    """The config for each version of cgroups."""
    return tuple(
        NodeFile(path=config_path(version), content=json.dumps(config(network, minor, driver), indent=2) + "\n")
        for version, driver in CGROUP_DRIVERS.items()
    )


def config(network: NetworkSpec, minor: int, cgroup_driver: str) -> dict[str, Any]:
    """The KubeletConfiguration of every worker, with what that version knows."""
    fields = {
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": paths.CA},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{SERVING}.crt",
        "tlsPrivateKeyFile": f"{SERVING}.key",
        "tlsMinVersion": "VersionTLS12",
        "rotateCertificates": False,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": HEALTH_PORT,
        "readOnlyPort": 0,
        "clusterDNS": [str(network.dns_service)],
        "clusterDomain": network.domain,
        "containerRuntimeEndpoint": RUNTIME,
        "cgroupDriver": cgroup_driver,
        "failCgroupV1": False,
        "failSwapOn": False,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        **_pace(minor),
        **_disk_pressure(),
    }
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": KUBELET_CONFIG,
        **valid_only(KUBELET_CONFIG, minor, fields),
    }


def _pace(minor: int) -> dict[str, Any]:
    """How often the kubelet speaks to the API.

    Up to 1.26 a new Node turns Ready only with the next look at its status, ten seconds apart; one second costs a GET
    from the API server's cache each time, and writes stay as rare as ever.  Later versions look as soon as they start.
    The request limits are the defaults of 1.27; the older ones hold a burst of pods back for seconds.
    """
    pace: dict[str, Any] = {"kubeAPIQPS": 50, "kubeAPIBurst": 100, "eventRecordQPS": 50, "serializeImagePulls": False}
    if minor <= LAST_MINOR_WITH_SLOW_FIRST_STATUS:
        pace |= {"nodeStatusUpdateFrequency": "1s", "nodeStatusReportFrequency": "5m"}
    return pace


def _disk_pressure() -> dict[str, Any]:
    """Images that came with the machine may have no registry to come from again, so they go last and late."""
    low = "5%"
    return {
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": low,
            "nodefs.inodesFree": low,
            "imagefs.available": low,
        },
        "imageGCHighThresholdPercent": 95,
        "imageGCLowThresholdPercent": 90,
    }


def _unit(context: NodeContext) -> str:
    kubernetes = context.spec.kubernetes
    flags = flags_for(KUBELET, kubernetes.version.minor, _flags(context), kubernetes.extra_args.get(KUBELET))
    return service(
        description=f"kubelet of {context.spec.id}",
        command=(context.release.binary("kubelet"), *flags),
        unit={
            "After": "network.target containerd.service kubo-images.service",
            "Wants": "containerd.service",
        },
        settings={
            **KNOWS_CGROUP,
            "Environment": (KNOWS_CGROUP["Environment"], NO_CLOUD_PROBES),
            **OWNS_CGROUPS,
            "LimitNOFILE": "1048576",
            "OOMScoreAdjust": "-999",
        },
    )


def _flags(context: NodeContext) -> dict[str, str]:
    return {
        "config": config_path(CGROUP),
        "kubeconfig": paths.kubeconfig(WHO),
        "hostname-override": context.node_name,
        "node-ip": context.address,
        "node-labels": ",".join(f"{key}={value}" for key, value in node_labels(context).items()),
        "provider-id": context.provider_id,
        **_runtime_flags(context.spec.kubernetes.version.minor),
    }


def _runtime_flags(minor: int) -> dict[str, str]:
    """Later versions take the runtime's socket from the config file."""
    if minor > LAST_MINOR_WITH_RUNTIME_FLAGS:
        return {}
    return {"container-runtime": "remote", "container-runtime-endpoint": RUNTIME}
