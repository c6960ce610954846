"""The table of identities: complete, least privilege, and told to nobody who need not know."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.pki.identities import cluster_credentials, instance_credentials, needed_by, stray_credentials
from kubo_sdk.ports.cluster_dns import ClusterDnsInfo
from kubo_sdk.ports.credentials import CertificateParameters, Parameters, PasswordParameters, UserParameters
from kubo_sdk.ports.ingress import Endpoint, IngressInfo
from kubo_sdk.ports.overlay import OverlayInfo

SPEC = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
IN_ETCD = OverlayInfo(etcd_prefixes=("/coreos.com/network/",))
IN_KUBERNETES = OverlayInfo(node_cidrs=True, kubernetes_user="kubo:flannel")
API = Endpoint(name="api", host="192.0.2.80", port=8443)
AUTHORITIES = {"ca", "etcd-ca", "front-proxy-ca"}


def address(instance: Instance) -> str:
    return f"10.0.0.{10 + SPEC.instances().index(instance)}"


def everything(overlay: OverlayInfo = IN_ETCD) -> Mapping[str, Parameters]:
    wanted = [*cluster_credentials(SPEC, overlay)]
    for instance in SPEC.instances():
        where = address(instance)
        wanted += instance_credentials(SPEC, instance, where, API, overlay, where)
    leaves = [each.leaf for each in wanted]
    assert len(leaves) == len(set(leaves))
    return {each.leaf: each.parameters for each in wanted}


def certificates(overlay: OverlayInfo = IN_ETCD) -> Mapping[str, CertificateParameters]:
    return {leaf: found for leaf, found in everything(overlay).items() if isinstance(found, CertificateParameters)}


def certificate(leaf: str, overlay: OverlayInfo = IN_ETCD) -> CertificateParameters:
    return certificates(overlay)[leaf]


def test_authorities_sign_themselves_and_may_do_nothing_else() -> None:
    found = certificates()
    assert {leaf for leaf, parameters in found.items() if parameters.is_ca} == AUTHORITIES
    for leaf in AUTHORITIES:
        assert found[leaf].ca is None
        assert set(found[leaf].key_usage) == {"key_cert_sign", "crl_sign"}
        assert not found[leaf].extended_key_usage


def test_authorities_come_before_what_they_sign() -> None:
    seen: set[str] = set()
    for wanted in cluster_credentials(SPEC, IN_ETCD):
        if isinstance(wanted.parameters, CertificateParameters) and wanted.parameters.ca:
            assert wanted.parameters.ca.removeprefix("/kubo/demo/") in seen
        seen.add(wanted.leaf)


def test_every_certificate_is_signed_by_an_authority_of_this_cluster() -> None:
    leaves = {leaf: found for leaf, found in certificates().items() if not found.is_ca}
    assert {found.ca for found in leaves.values()} == {f"/kubo/demo/{leaf}" for leaf in AUTHORITIES}
    assert all(found.extended_key_usage for found in leaves.values())


@pytest.mark.parametrize("overlay", [IN_ETCD, IN_KUBERNETES])
def test_only_the_emergency_identity_is_in_the_group_no_rule_can_limit(overlay: OverlayInfo) -> None:
    masters = [leaf for leaf, found in certificates(overlay).items() if found.organization == "system:masters"]
    assert masters == ["super-admin"]
    assert certificate("admin").organization == "kubo:cluster-admins"


def test_clients_of_the_control_plane_have_the_names_kubernetes_binds() -> None:
    names = {
        "controller-manager": "system:kube-controller-manager",
        "scheduler": "system:kube-scheduler",
        "kube-proxy-worker-1": "system:kube-proxy",
        "kubelet-client": "kube-apiserver-kubelet-client",
        "front-proxy-client": "front-proxy-client",
    }
    for leaf, name in names.items():
        found = certificate(leaf)
        assert (found.common_name, found.organization, found.extended_key_usage) == (name, None, ("client_auth",))


def test_a_kubelet_is_the_node_it_registers() -> None:
    worker = SPEC.instances(Role.WORKER)[1]
    by_name = instance_credentials(SPEC, worker, "10.0.0.16", API, IN_ETCD, "Worker-1")
    kubelet = next(each.parameters for each in by_name if each.leaf == "kubelet-worker-1")
    assert isinstance(kubelet, CertificateParameters)
    assert (kubelet.common_name, kubelet.organization) == ("system:node:worker-1", "system:nodes")
    assert certificate("kubelet-worker-1").common_name == f"system:node:{address(worker)}"


def test_a_kubelet_serves_under_its_own_address() -> None:
    found = certificate("kubelet-server-worker-2")
    assert found.extended_key_usage == ("server_auth",)
    assert {"10.0.0.17", "worker-2", "worker-2.demo.kubo.internal"} <= set(found.alternative_names)


def test_the_api_server_serves_under_every_name_it_is_called_by() -> None:
    found = certificate("apiserver-master-0")
    assert set(found.alternative_names) == {
        "10.0.0.13",
        "master-0",
        "master-0.demo.kubo.internal",
        "127.0.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "10.100.200.1",
        "api.demo.kubo.internal",
        "192.0.2.80",
    }


def test_etcd_members_may_call_themselves() -> None:
    for kind in ("server", "peer"):
        found = certificate(f"etcd-{kind}-etcd-2")
        assert set(found.extended_key_usage) == {"server_auth", "client_auth"}
        assert {"10.0.0.12", "127.0.0.1", "localhost"} <= set(found.alternative_names)
        assert found.ca == "/kubo/demo/etcd-ca"


def test_names_are_given_once_even_when_the_api_is_the_machine_itself() -> None:
    master = SPEC.instances(Role.MASTER)[0]
    own = Endpoint(name="api", host="10.0.0.13", port=8443)
    first, _ = instance_credentials(SPEC, master, "10.0.0.13", own, IN_ETCD, "10.0.0.13")
    assert isinstance(first.parameters, CertificateParameters)
    names = first.parameters.alternative_names
    assert len(names) == len(set(names))


def test_clients_of_the_rest_gateway_have_no_common_name() -> None:
    for leaf in ("director-etcd", "etcd-overlay-etcd-0"):
        assert certificate(leaf).common_name is None
        assert certificate(leaf).ca == "/kubo/demo/etcd-ca"


def test_an_overlay_gets_what_it_says_it_needs_and_no_more() -> None:
    in_etcd, in_kubernetes = everything(IN_ETCD), everything(IN_KUBERNETES)
    assert isinstance(in_etcd["etcd-overlay"], UserParameters)
    assert certificate("overlay-worker-0", IN_KUBERNETES).common_name == "kubo:flannel"
    assert certificate("overlay-gate-etcd-0").ca == "/kubo/demo/ca"
    assert not any(leaf.startswith("overlay-worker") for leaf in in_etcd)
    assert not any(leaf.startswith("etcd-overlay") for leaf in in_kubernetes)


def test_the_encryption_key_has_more_than_the_bits_of_its_cipher() -> None:
    found = everything()["encryption-key"]
    assert isinstance(found, PasswordParameters)
    assert 62**found.length > 2**256


@pytest.mark.parametrize("overlay", [IN_ETCD, IN_KUBERNETES])
def test_what_a_machine_needs_is_issued(overlay: OverlayInfo) -> None:
    issued = everything(overlay)
    for instance in SPEC.instances():
        assert set(needed_by(SPEC, instance, overlay)) <= issued.keys()


@pytest.mark.parametrize("overlay", [IN_ETCD, IN_KUBERNETES])
def test_no_machine_sees_an_authority_an_administrator_or_another_machine(overlay: OverlayInfo) -> None:
    slugs = {instance.slug for instance in SPEC.instances()}
    kept_back = {*AUTHORITIES, "super-admin", "admin", "director-etcd", "etcd-root"}
    for instance in SPEC.instances():
        seen = set(needed_by(SPEC, instance, overlay))
        assert not seen & kept_back
        assert not any(leaf.endswith(f"-{slug}") for leaf in seen for slug in slugs - {instance.slug})


def test_every_other_credential_is_seen_by_some_machine() -> None:
    seen = {leaf for instance in SPEC.instances() for leaf in needed_by(SPEC, instance, IN_ETCD)}
    assert everything().keys() - seen == {*AUTHORITIES, "super-admin", "admin", "director-etcd", "etcd-root"}


def test_a_worker_sees_nothing_that_opens_kubernetes_keys_in_etcd() -> None:
    for worker in SPEC.instances(Role.WORKER):
        for overlay in (IN_ETCD, IN_KUBERNETES):
            assert not any("etcd" in leaf for leaf in needed_by(SPEC, worker, overlay))
            assert all(certificate(leaf, overlay).ca == "/kubo/demo/ca" for leaf in needed_by(SPEC, worker, overlay))


def test_a_cluster_dns_with_a_user_gets_a_certificate_of_that_name_for_every_worker_alone() -> None:
    dns = ClusterDnsInfo(kubernetes_user="kubo:cluster-dns")
    for instance in SPEC.instances():
        where, leaf = address(instance), f"cluster-dns-{instance.slug}"
        issued = {each.leaf: each for each in instance_credentials(SPEC, instance, where, API, IN_ETCD, where, dns)}
        assert (leaf in issued) is (instance.role is Role.WORKER)
        assert (leaf in needed_by(SPEC, instance, IN_ETCD, dns)) is (instance.role is Role.WORKER)
        assert leaf not in needed_by(SPEC, instance, IN_ETCD)
        if leaf in issued:
            parameters = issued[leaf].parameters
            assert isinstance(parameters, CertificateParameters)
            assert (parameters.common_name, parameters.organization) == ("kubo:cluster-dns", None)
            assert parameters.extended_key_usage == ("client_auth",)


def test_the_certificates_of_a_cluster_dns_that_is_no_longer_wished_for_are_strays() -> None:
    leaves = ("cluster-dns-worker-0", "cluster-dns-worker-9", "kubelet-worker-0", "cluster-dns-of-somebody")
    dns = ClusterDnsInfo(kubernetes_user="kubo:cluster-dns")
    assert stray_credentials(SPEC, IN_ETCD, leaves, dns) == ("cluster-dns-worker-9",)
    assert stray_credentials(SPEC, IN_ETCD, leaves) == ("cluster-dns-worker-0", "cluster-dns-worker-9")


def test_an_ingress_with_a_user_gets_a_certificate_of_that_name_for_every_master_alone() -> None:
    ingress = IngressInfo(kubernetes_user="kubo:routing")
    for instance in SPEC.instances():
        leaf = f"ingress-{instance.slug}"
        wanted = {
            each.leaf: each.parameters
            for each in instance_credentials(
                SPEC, instance, address(instance), API, IN_ETCD, address(instance), ingress=ingress
            )
        }
        if instance.role is Role.MASTER:
            found = wanted[leaf]
            assert isinstance(found, CertificateParameters)
            assert (found.common_name, found.organization) == ("kubo:routing", None)
            assert found.extended_key_usage == ("client_auth",)
        else:
            assert leaf not in wanted
        assert (leaf in needed_by(SPEC, instance, IN_ETCD, ingress=ingress)) is (instance.role is Role.MASTER)


def test_the_certificates_of_an_ingress_that_is_no_longer_wished_for_are_strays() -> None:
    leaves = ["ingress-master-0", "ingress-ca", "ca"]
    assert stray_credentials(SPEC, IN_ETCD, leaves) == ("ingress-master-0",)
    assert stray_credentials(SPEC, IN_ETCD, leaves, ingress=IngressInfo(kubernetes_user="kubo:routing")) == ()


def test_a_router_is_named_by_its_name_in_the_certificate_of_every_api_server() -> None:
    api = Endpoint(name="api", host="tcp.example.com", port=1030)
    (master, *_) = SPEC.instances(Role.MASTER)
    served = instance_credentials(SPEC, master, "10.0.0.13", api, IN_ETCD, "10.0.0.13")[0].parameters
    assert isinstance(served, CertificateParameters)
    assert "tcp.example.com" in served.alternative_names
