"""Contexts for `node_files`: a whole cluster with addresses and credentials, to render any of its machines from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, field, frozen
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.pki.authority import issue
from kubo_sdk.pki.identities import NO_CLUSTER_DNS, NO_INGRESS, needed_by
from kubo_sdk.pki.keys import load_private_key
from kubo_sdk.ports.cluster_dns import ClusterDnsInfo
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    Credential,
    CredentialValue,
    KeyPair,
    Kind,
    Text,
    User,
)
from kubo_sdk.ports.ingress import Backend, Endpoint, EndpointRequest, Health, IngressInfo
from kubo_sdk.ports.node import NodeContext
from kubo_sdk.ports.overlay import OverlayInfo

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
PASSWORD = "the-password-of-the-contract"
# Whoever compares marks by their beginning, or leaves the director out, takes these for the sample.
OTHER_CLUSTER = "contract-2"
OTHER_DIRECTOR = "kubo-contract-2"


def sample_spec(name: str = "contract", director: str = "kubo-contract") -> ClusterSpec:
    """A cluster of the default shape."""
    return ClusterSpec(
        name=name,
        director=director,
        kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")),
    )


def stranger_spec() -> ClusterSpec:
    """Another cluster of the same director, whose name begins like the sample's."""
    return sample_spec(OTHER_CLUSTER)


def namesake_spec() -> ClusterSpec:
    """A cluster with the sample's name that belongs to another director."""
    return sample_spec(director=OTHER_DIRECTOR)


@frozen
class SampleCluster:
    """The machines of *spec* as `node_files` gets to see them: each with the credentials that are its own."""

    spec: ClusterSpec
    overlay: OverlayInfo
    certificate: Certificate
    addresses: Mapping[str, str] = field(hash=False)
    cluster_dns: ClusterDnsInfo = NO_CLUSTER_DNS
    ingress: IngressInfo = NO_INGRESS

    @classmethod
    def of(
        cls,
        spec: ClusterSpec,
        overlay: OverlayInfo,
        cluster_dns: ClusterDnsInfo = NO_CLUSTER_DNS,
        ingress: IngressInfo = NO_INGRESS,
    ) -> SampleCluster:
        addresses = {instance.id: f"10.66.0.{number}" for number, instance in enumerate(spec.instances(), 10)}
        now = datetime.now(UTC)
        certificate = issue(CertificateParameters(common_name="kubo-contract", is_ca=True), now=now)
        return cls(spec, overlay, certificate, addresses, cluster_dns, ingress)

    def with_address(self, instance: str, address: str) -> SampleCluster:
        """The same cluster after one machine was given another address."""
        return evolve(self, addresses={**self.addresses, instance: address})

    def context(self, instance: Instance) -> NodeContext:
        address = self.addresses[instance.id]
        infos = (self.overlay, self.cluster_dns, self.ingress)
        return NodeContext(
            spec=self.spec,
            instance=instance,
            address=address,
            addresses=dict(self.addresses),
            node_name=address,
            provider_id=f"contract://{instance.slug}",
            api=self.ingress.api or self._front(),
            endpoints=self.endpoints(),
            release=_release(self.spec),
            ca=self.certificate.certificate,
            credentials={leaf: self._credential(leaf) for leaf in needed_by(self.spec, instance, *infos)},
        )

    def contexts(self) -> tuple[NodeContext, ...]:
        """One for every machine."""
        return tuple(self.context(instance) for instance in self.spec.instances())

    def of_role(self, role: Role) -> NodeContext:
        """One for the first machine of that role."""
        return self.context(self.spec.instances(role)[0])

    def endpoints(self) -> tuple[EndpointRequest, ...]:
        """The endpoints a cluster asks for."""
        port, proxies = self.spec.kubernetes.api_port, self._proxies()
        masters, workers = self._backends(Role.MASTER), self._backends(Role.WORKER)
        api = EndpointRequest(
            name="api", ports=(port, port), backends=masters, health=Health.HTTPS_READYZ, proxies=proxies
        )
        services = EndpointRequest(
            name="services",
            ports=self.spec.network.node_ports,
            backends=workers,
            health=Health.KUBE_PROXY,
            proxies=proxies,
        )
        return (api, services) if self.ingress.serves_node_ports else (api,)

    def secrets(self, context: NodeContext) -> frozenset[str]:
        """The longest word of every secret that the machine may see: no escaping of line ends can hide it."""
        return frozenset(
            max(_secret(credential.value).reveal().split(), key=len) for credential in context.credentials.values()
        )

    def _front(self) -> Endpoint:
        return Endpoint(name="api", host=self._proxies()[0].address, port=self.spec.kubernetes.api_port)

    def _proxies(self) -> tuple[Backend, ...]:
        return self._backends(Role.PROXY)

    def _backends(self, role: Role) -> tuple[Backend, ...]:
        return tuple(Backend(instance=each.id, address=self.addresses[each.id]) for each in self.spec.instances(role))

    def _credential(self, leaf: str) -> Credential:
        kind, value = self._value(leaf)
        name = self.spec.id.credential(leaf)
        return Credential(name=name, kind=kind, version="1", created_at=CREATED, value=value)

    def _value(self, leaf: str) -> tuple[Kind, CredentialValue]:
        if leaf == "service-account":
            key = self.certificate.private_key
            return Kind.RSA, KeyPair(public_key=public_pem(key), private_key=key)
        if leaf == "encryption-key":
            return Kind.PASSWORD, Text(text=Secret(PASSWORD))
        if leaf == "etcd-overlay":
            return Kind.USER, User(username="kubo-overlay", password=Secret(PASSWORD))
        return Kind.CERTIFICATE, self.certificate


def public_pem(key: Secret) -> str:
    """The public half of a private key."""
    public = load_private_key(key, "the contract").public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _secret(value: CredentialValue) -> Secret:
    if isinstance(value, Text):
        return value.text
    return value.password if isinstance(value, User) else value.private_key


def _release(spec: ClusterSpec) -> Release:
    return Release(
        version=spec.kubernetes.version,
        source="contract",
        digest="0",
        tree=Path("/nowhere/kubernetes"),
        etcd_version="3.4.23",
        pause_image="contract/pause:3.2",
        images=("pause.tar",),
    )
