"""The objects a cluster begins with."""

from __future__ import annotations

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.nodes.bootstrap import bootstrap_objects, role_labels
from kubo_sdk.pki.identities import cluster_credentials
from kubo_sdk.ports.credentials import CertificateParameters
from kubo_sdk.ports.overlay import OverlayInfo

SPEC = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))


def test_the_bindings_name_identities_that_are_issued() -> None:
    bound = {
        (binding["subjects"][0]["kind"], binding["subjects"][0]["name"]): binding["roleRef"]["name"]
        for binding in bootstrap_objects(SPEC)
    }
    issued = [
        wanted.parameters
        for wanted in cluster_credentials(SPEC, OverlayInfo())
        if isinstance(wanted.parameters, CertificateParameters)
    ]
    groups = {parameters.organization for parameters in issued}
    users = {parameters.common_name for parameters in issued}
    assert {name for kind, name in bound if kind == "Group"} <= groups
    assert {name for kind, name in bound if kind == "User"} <= users
    assert bound["User", "kube-apiserver-kubelet-client"] == "system:kubelet-api-admin"
    assert bound["Group", "kubo:cluster-admins"] == "cluster-admin"


def test_workers_are_labelled_with_their_role_and_nobody_else_is_a_node() -> None:
    assert role_labels(Role.WORKER) == {"node-role.kubernetes.io/worker": ""}
    assert role_labels(Role.MASTER) == {}
