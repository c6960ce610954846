"""The table of what differs between the supported versions: flags of daemons and fields of their config files.

What it does not name is valid in all of them.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Gate:
    """*name* of *component* is valid from minor version *first* to *last*, both included; None means: still is."""

    component: str
    name: str
    first: int
    last: int | None

    def allows(self, minor: int) -> bool:
        return self.first <= minor and (self.last is None or minor <= self.last)


ANY = "any"
OLDEST = 0

_KLOG = (
    "add-dir-header",
    "alsologtostderr",
    "log-backtrace-at",
    "log-dir",
    "log-file",
    "log-file-max-size",
    "logtostderr",
    "one-output",
    "skip-headers",
    "skip-log-headers",
    "stderrthreshold",
)


def _until(component: str, last: int, *names: str) -> tuple[Gate, ...]:
    return tuple(Gate(component, name, OLDEST, last) for name in names)


def _since(component: str, first: int, *names: str) -> tuple[Gate, ...]:
    return tuple(Gate(component, name, first, None) for name in names)


APISERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KUBELET = "kubelet"
KUBELET_CONFIG = "KubeletConfiguration"
KUBE_PROXY = "kube-proxy"
KUBE_PROXY_CONFIG = "KubeProxyConfiguration"
ETCD = "etcd"

COMPONENTS = (APISERVER, CONTROLLER_MANAGER, SCHEDULER, KUBELET, KUBE_PROXY, ETCD)

GATES: tuple[Gate, ...] = (
    *_until(ANY, 25, *_KLOG),
    *_until(APISERVER, 20, "kubelet-https"),
    *_until(APISERVER, 23, "insecure-port", "port", "insecure-bind-address", "address", "target-ram-mb"),
    *_until(APISERVER, 23, "deserialization-cache-size", "experimental-encryption-provider-config"),
    *_until(APISERVER, 24, "service-account-api-audiences"),
    *_until(APISERVER, 26, "master-service-namespace"),
    *_until(APISERVER, 32, "cloud-provider", "cloud-config"),
    *_since(APISERVER, 29, "authentication-config", "authorization-config"),
    *_since(APISERVER, 31, "disable-http2-serving", "emulated-version"),
    *_since(APISERVER, 32, "service-account-signing-endpoint"),
    *_since(APISERVER, 35, "min-compatibility-version"),
    *_since(APISERVER, 36, "tls-curve-preferences"),
    *_until(CONTROLLER_MANAGER, 21, "horizontal-pod-autoscaler-use-rest-clients"),
    *_until(CONTROLLER_MANAGER, 23, "port", "address", "deployment-controller-sync-period"),
    *_until(CONTROLLER_MANAGER, 24, "experimental-cluster-signing-duration"),
    *_until(CONTROLLER_MANAGER, 26, "enable-taint-manager", "pod-eviction-timeout"),
    *_until(CONTROLLER_MANAGER, 30, "volume-host-cidr-denylist", "volume-host-allow-local-loopback"),
    *_until(SCHEDULER, 21, "algorithm-provider", "scheduler-name", "hard-pod-affinity-symmetric-weight"),
    *_until(SCHEDULER, 22, "policy-config-file", "policy-configmap", "policy-configmap-namespace"),
    *_until(SCHEDULER, 22, "use-legacy-policy-config"),
    *_until(SCHEDULER, 23, "port", "address"),
    *_until(SCHEDULER, 27, "lock-object-name", "lock-object-namespace"),
    *_until(KUBELET, 21, "redirect-container-streaming", "chaos-chance"),
    *_until(KUBELET, 22, "experimental-bootstrap-kubeconfig"),
    *_until(KUBELET, 23, "network-plugin", "cni-bin-dir", "cni-conf-dir", "cni-cache-dir", "network-plugin-mtu"),
    *_until(KUBELET, 23, "docker-endpoint", "image-pull-progress-deadline", "dynamic-config-dir"),
    *_until(KUBELET, 23, "non-masquerade-cidr", "really-crash-for-testing"),
    *_until(KUBELET, 23, "experimental-check-node-capabilities-before-mount"),
    *_until(KUBELET, 24, "experimental-kernel-memcg-notification"),
    *_until(KUBELET, 26, "container-runtime", "master-service-namespace"),
    *_until(KUBELET, 30, "keep-terminated-pod-volumes", "iptables-masquerade-bit", "iptables-drop-bit"),
    *_until(KUBELET, 31, "runonce"),
    *_until(KUBELET, 33, "cloud-config", "register-schedulable"),
    *_until(KUBELET, 34, "pod-infra-container-image"),
    *_since(KUBELET_CONFIG, 22, "seccompDefault", "memorySwap", "memoryThrottlingFactor", "enableProfilingHandler"),
    *_since(KUBELET_CONFIG, 24, "registerWithTaints", "registerNode", "shutdownGracePeriodByPodPriority"),
    *_since(KUBELET_CONFIG, 26, "localStorageCapacityIsolation", "tracing"),
    *_since(KUBELET_CONFIG, 27, "containerRuntimeEndpoint", "imageServiceEndpoint", "maxParallelImagePulls"),
    *_since(KUBELET_CONFIG, 27, "enableSystemLogQuery"),
    *_since(KUBELET_CONFIG, 30, "containerLogMaxWorkers", "containerLogMonitorInterval", "imageMaximumGCAge"),
    *_since(KUBELET_CONFIG, 30, "podLogsDir"),
    *_since(KUBELET_CONFIG, 31, "failCgroupV1"),
    *_since(KUBELET_CONFIG, 32, "singleProcessOOMKill"),
    *_since(KUBELET_CONFIG, 33, "crashLoopBackOff", "imagePullCredentialsVerificationPolicy", "userNamespaces"),
    *_since(KUBELET_CONFIG, 33, "mergeDefaultEvictionSettings"),
    *_since(KUBELET_CONFIG, 36, "memoryReservationPolicy", "tlsCurvePreferences"),
    *_until(KUBE_PROXY, 20, "cleanup-ipvs"),
    *_until(KUBE_PROXY, 30, "proxy-port-range"),
    *_since(KUBE_PROXY, 29, "init-only"),
    *_until(KUBE_PROXY_CONFIG, 25, "udpIdleTimeout"),
    *_since(KUBE_PROXY_CONFIG, 25, "detectLocal"),
    *_since(KUBE_PROXY_CONFIG, 28, "logging"),
    *_since(KUBE_PROXY_CONFIG, 29, "nftables"),
    # etcd's own minor versions: 3.4, 3.5 and 3.6.  From 3.5 on there is but one logger.
    *_until(ETCD, 4, "logger", "debug", "log-package-levels", "log-output"),
    *_until(ETCD, 5, "enable-v2", "proxy", "proxy-failure-wait", "proxy-refresh-interval", "proxy-dial-timeout"),
    *_until(ETCD, 5, "proxy-write-timeout", "proxy-read-timeout", "experimental-enable-v2v3"),
)
