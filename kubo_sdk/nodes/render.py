"""Renders what one instance needs: its role's files and units, and what the providers contribute.  Pure."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable

from kubo_sdk.errors import PluginError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.secret import Secret
from kubo_sdk.nodes.apiserver import apiserver
from kubo_sdk.nodes.containerd import containerd
from kubo_sdk.nodes.controller_manager import controller_manager
from kubo_sdk.nodes.etcd import etcd
from kubo_sdk.nodes.kube_proxy import kube_proxy
from kubo_sdk.nodes.kubelet import kubelet
from kubo_sdk.nodes.manifest import NodeManifest, manifest, unit_file
from kubo_sdk.nodes.scheduler import scheduler
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk.ports.overlay import OverlayInfo

__all__ = ["NodeManifest", "render", "role_contribution"]

# A name with anything else in it would have to be quoted on its way through the machine's shell.
_PATH = re.compile(r"/[A-Za-z0-9._/@+:-]+")
_UNIT = re.compile(r"[A-Za-z0-9._@:-]+\.(service|socket|target|timer|path|mount)")
_OWNER = re.compile(r"[a-z_][a-z0-9_-]*")
OTHERS = 0o077
HOSTS = "/etc/hosts"


def render(context: NodeContext, contributions: Iterable[Contribution], overlay: OverlayInfo) -> NodeManifest:
    """Everything the machine of *context* should carry.

    Raises NotFound when a credential is missing, ConfigError for an extra argument its daemon does not know, and
    PluginError when two contributions claim one path or unit, or one of them is malformed.
    """
    whole = sum(contributions, start=role_contribution(context, overlay))
    if not any(file.path == HOSTS for file in whole.files):
        whole += Contribution(files=(own_hosts_file(context),))
    _check(context, whole)
    return manifest(whole.files, whole.units, context.release.carried)


def role_contribution(context: NodeContext, overlay: OverlayInfo) -> Contribution:
    """What the core itself puts on a machine of that role.  A proxy has nothing of its own."""
    match context.instance.role:
        case Role.ETCD:
            return etcd(context)
        case Role.MASTER:
            managers = controller_manager(context, node_cidrs=overlay.node_cidrs) + scheduler(context)
            return apiserver(context) + managers
        case Role.WORKER:
            return containerd(context) + kubelet(context) + kube_proxy(context)
        case _:
            return Contribution()


def own_hosts_file(context: NodeContext) -> NodeFile:
    """For machines whose DNS provider brings no hosts file.  Without any, containerd starts no pod."""
    return NodeFile(path=HOSTS, content=f"127.0.0.1 localhost\n{context.address} {context.instance.slug}\n")


def _check(context: NodeContext, whole: Contribution) -> None:
    paths = [file.path for file in (*whole.files, *(unit_file(unit) for unit in whole.units))]
    twice = [path for path, count in Counter(paths).items() if count > 1]
    problems = [f"{path} is claimed twice" for path in twice]
    for file in whole.files:
        problems += _file_problems(file)
    for unit in whole.units:
        problems += _unit_problems(unit, frozenset(paths))
    if problems:
        raise PluginError(f"the files of {context.instance.id} do not fit together: {'; '.join(problems)}")


def _file_problems(file: NodeFile) -> list[str]:
    problems = []
    if not _PATH.fullmatch(file.path) or posixpath.normpath(file.path) != file.path:
        problems.append(f"{file.path!r} is no absolute path of letters, digits and ._/@+:-")
    if not _OWNER.fullmatch(file.owner):
        problems.append(f"{file.path} has the owner {file.owner!r}, which is no account name")
    if isinstance(file.content, Secret) and file.mode & OTHERS:
        problems.append(f"{file.path} is secret but has mode {file.mode:04o}; let only its owner read it")
    return problems


def _unit_problems(unit: Unit, paths: frozenset[str]) -> list[str]:
    problems = [] if _UNIT.fullmatch(unit.name) else [f"{unit.name!r} is no unit name"]
    strangers = sorted(set(unit.restart_on) - paths)
    return problems + [f"{unit.name} restarts on {path}, which nobody contributes" for path in strangers]
