"""The container runtime of a worker, and the images it has before the first pod.

The config is in version 2, which containerd reads from 1.3 on; 2.x translates it.  It is written twice, once for each
cgroup version: which one a machine has, only the machine knows (`MACHINE_ENVIRONMENT`).
"""

from __future__ import annotations

import hashlib
import json

from kubo_sdk.model.secret import Secret
from kubo_sdk.nodes.paths import CONTAINERD_SOCKET
from kubo_sdk.nodes.registries import PROXY_FILE, proxy_file, registry_config, registry_files
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk.systemd import CGROUP, KNOWS_CGROUP, Settings, command_line, service, unit_text

CNI_PROGRAMS = "/usr/lib/cni"
CNI_CONFIG = "/etc/cni/net.d"
ROOT = "/var/lib/containerd"
CONTAINERD = "/usr/bin/containerd"
CTR = "/usr/bin/ctr"

# With cgroup v2 systemd must be the only one that makes cgroups.  With v1 there is no such rule, and in a machine made
# of namespaces its controllers are not systemd's to move processes in.
CGROUP_DRIVERS = {"v1": "cgroupfs", "v2": "systemd"}

# Snapshotters nobody asks for; each one tries its luck at every start.
UNUSED = ("aufs", "btrfs", "devmapper", "zfs")


def containerd(context: NodeContext) -> Contribution:
    """containerd with its config, and the unit that loads the images."""
    registries, named = context.spec.preparation.registries, context.named_files
    more, is_secret = registry_config(registries, named)
    texts = {
        config_path(version): config(context.release.pause_image, driver) + more
        for version, driver in CGROUP_DRIVERS.items()
    }
    configs = tuple(
        NodeFile(path=path, content=Secret(text), mode=0o600) if is_secret else NodeFile(path=path, content=text)
        for path, text in texts.items()
    )
    proxy = proxy_file(context.spec, named)
    started_with = (*configs, proxy) if proxy is not None else configs
    runtime = Unit(
        name="containerd.service",
        text=_unit(has_proxy=proxy is not None),
        restart_on=tuple(file.path for file in started_with),
    )
    images = Unit(name="kubo-images.service", text=images_unit(archives(context)))
    return Contribution(files=(*started_with, *registry_files(registries, named)), units=(runtime, images))


def config_path(cgroup: str) -> str:
    return f"/etc/containerd/kubo-cgroup-{cgroup}.toml"


def config(pause_image: str, cgroup_driver: str) -> str:
    """The config file.

    ``restrict_oom_score_adj`` never asks for more than containerd itself may: without CAP_SYS_RESOURCE every sandbox
    would fail.  Where the capability is there, the unit's own score makes the restriction void.
    """
    unused = ", ".join(f'"io.containerd.snapshotter.v1.{name}"' for name in UNUSED)
    return f"""\
version = 2
root = "{ROOT}"
state = "/run/containerd"
disabled_plugins = [{unused}]

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {json.dumps(pause_image)}
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{CNI_PROGRAMS}"
  conf_dir = "{CNI_CONFIG}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = {"true" if cgroup_driver == "systemd" else "false"}
"""


def _unit(*, has_proxy: bool) -> str:
    files = (KNOWS_CGROUP["EnvironmentFile"], PROXY_FILE) if has_proxy else KNOWS_CGROUP["EnvironmentFile"]
    return service(
        description="containerd container runtime",
        command=(CONTAINERD, f"--config={config_path(CGROUP)}", "--log-level=warn"),
        settings={
            **KNOWS_CGROUP,
            "EnvironmentFile": files,
            **OWNS_CGROUPS,
            "Type": "notify",
            "LimitNOFILE": "1048576",
            "OOMScoreAdjust": "-999",
        },
    )


# Its containers live on while the daemon restarts.
OWNS_CGROUPS: Settings = {"Delegate": "yes", "KillMode": "process", "TasksMax": "infinity"}


def archives(context: NodeContext) -> tuple[str, ...]:
    """Where the release's image archives lie on the machine."""
    return tuple(context.release.image(name) for name in context.release.images)


def images_unit(paths: tuple[str, ...]) -> str:
    """Loads the archives once.  The mark that they are there lies in containerd's own store, and goes with it."""
    mark = f"{ROOT}/kubo-images-{hashlib.sha256(json.dumps(paths).encode()).hexdigest()[:16]}"
    imports = (command_line((CTR, "--namespace=k8s.io", "images", "import", path)) for path in paths)
    return unit_text(
        {
            "Unit": {
                "Description": "Container images every worker has",
                "After": "containerd.service",
                "Wants": "containerd.service",
                "ConditionPathExists": f"!{mark}",
                "StartLimitIntervalSec": "0",
            },
            "Service": {
                "Type": "oneshot",
                "ExecStart": (*imports, command_line(("/usr/bin/touch", mark))),
                "Restart": "on-failure",
                "RestartSec": "1",
            },
            "Install": {"WantedBy": "multi-user.target"},
        }
    )
