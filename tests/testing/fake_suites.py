"""The contract suites on fakes: what both the fakes themselves and their mutants are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import AuthError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cpi import Cpi, VmRequest
from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.testing.contracts.contract import Contract
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.contracts.cpi_site import instance
from kubo_sdk.testing.contracts.credential_store import CredentialStoreContract
from kubo_sdk.testing.contracts.dns import DnsContract, ForeignRecord
from kubo_sdk.testing.contracts.ingress import IngressContract
from kubo_sdk.testing.contracts.overlay import OverlayContract
from kubo_sdk.testing.fakes import FakeCloud
from kubo_sdk.testing.fakes.cpi import FakeCpi
from kubo_sdk.testing.fakes.network import FakeDns, FakeIngress, FakeOverlay
from kubo_sdk.testing.node_contexts import SampleCluster, namesake_spec, stranger_spec

CLOUD_KEY = "key-of-the-cloud"
STRANGER, NAMESAKE = stranger_spec().id, namesake_spec().id
PEOPLE = ClusterId(director="nobody", name="people")


class OnFakes(Contract):
    """One cloud for each test, and its clock."""

    @pytest.fixture
    def cloud(self) -> Iterator[FakeCloud]:
        with FakeCloud(zones=("z1", "z2"), jitter=1.0) as cloud:
            yield cloud

    @pytest.fixture
    def clock(self, cloud: FakeCloud) -> Clock:
        return cloud.clock


class FakeCpiSuite(OnFakes, CpiContract):
    # These machines understand what the core sends, and no shell.
    runs_commands = False

    @pytest.fixture
    def cpi(self, cloud: FakeCloud) -> Cpi:
        return FakeCpi(cloud)

    @pytest.fixture
    def reconnected(self, cloud: FakeCloud) -> Cpi:
        return FakeCpi(cloud)

    @pytest.fixture
    def made_by_hand(self, cloud: FakeCloud) -> Callable[[], object]:
        cloud.create(VmRequest(cluster=PEOPLE, instance=instance(), token="worker-0"))
        return lambda: [each.id for each in cloud.machines_by_id.values() if each.cluster == PEOPLE]

    @pytest.fixture
    def break_next(self, cloud: FakeCloud) -> Callable[[str], object]:
        return lambda method: cloud.faults.fail(f"cpi.{method}")

    @pytest.fixture
    def lose_answer(self, cloud: FakeCloud) -> Callable[[str], object]:
        return lambda method: cloud.faults.lose_answer(f"cpi.{method}")

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (CLOUD_KEY,)

    @pytest.fixture
    def locked_out(self, cloud: FakeCloud) -> Cpi:
        refused = AuthError("the cloud does not know this key; give another one")
        cloud.faults.fail("cpi.list_vms", error=refused)
        return FakeCpi(cloud)

    @pytest.fixture
    def exhaust_quota(self, cloud: FakeCloud) -> Callable[[], object]:
        def exhaust() -> None:
            cloud.quota = len(cloud.machines_by_id)

        return exhaust

    @pytest.fixture
    def throttle(self, cloud: FakeCloud) -> Callable[[], object]:
        def use_up() -> None:
            cloud.faults.throttle("cpi.create_vm", per_second=0.2)
            cloud.faults.around("cpi.create_vm", "", lambda: None)

        return use_up


class FakeCredentialStoreSuite(OnFakes, CredentialStoreContract):
    @pytest.fixture
    def store(self, cloud: FakeCloud) -> CredentialStore:
        return cloud.store

    @pytest.fixture
    def reconnected(self, store: CredentialStore) -> CredentialStore:
        """There is one store in a cloud; to connect is to be handed it."""
        return store


class FakeDnsSuite(OnFakes, DnsContract):
    @pytest.fixture
    def dns(self, cloud: FakeCloud, spec: ClusterSpec) -> Dns:
        return FakeDns(cloud.site(spec.id))

    @pytest.fixture
    def reconnected(self, cloud: FakeCloud, spec: ClusterSpec) -> Dns:
        return FakeDns(cloud.site(spec.id))

    @pytest.fixture
    def stranger(self, cloud: FakeCloud) -> Dns:
        return FakeDns(cloud.site(STRANGER))

    @pytest.fixture
    def namesake(self, cloud: FakeCloud) -> Dns:
        return FakeDns(cloud.site(NAMESAKE))

    @pytest.fixture
    def made_by_hand(self, cloud: FakeCloud, spec: ClusterSpec) -> ForeignRecord:
        record = Record(name=f"www.{spec.zone}", type="A", values=("10.66.7.7",))
        kept = cloud.site(PEOPLE).records
        kept[record.name, record.type] = record
        return ForeignRecord(record=record, read=lambda: dict(kept))

    @pytest.fixture
    def locked_out(self, cloud: FakeCloud, dns: Dns) -> Dns:
        refused = AuthError("the name server does not know this key; give another one")
        for method in ("list_records", "put_record"):
            cloud.faults.fail(f"dns.{method}", error=refused)
        return dns


class FakeOverlaySuite(OnFakes, OverlayContract):
    @pytest.fixture
    def overlay(self, cloud: FakeCloud) -> Overlay:
        return FakeOverlay(cloud)

    @pytest.fixture
    def reconnected(self, cloud: FakeCloud) -> Overlay:
        return FakeOverlay(cloud)


class FakeIngressSuite(OnFakes, IngressContract):
    @pytest.fixture
    def ingress(self, cloud: FakeCloud, spec: ClusterSpec) -> Ingress:
        return FakeIngress(cloud.site(spec.id))

    @pytest.fixture
    def reconnected(self, cloud: FakeCloud, spec: ClusterSpec) -> Ingress:
        return FakeIngress(cloud.site(spec.id))

    @pytest.fixture
    def stranger(self, cloud: FakeCloud) -> Ingress:
        return FakeIngress(cloud.site(STRANGER))

    @pytest.fixture
    def namesake(self, cloud: FakeCloud) -> Ingress:
        return FakeIngress(cloud.site(NAMESAKE))

    @pytest.fixture
    def made_by_hand(self, cloud: FakeCloud, sample: SampleCluster) -> Callable[[], object]:
        people = FakeIngress(cloud.site(PEOPLE))
        people.ensure_endpoint(sample.endpoints()[1])
        return people.list_endpoints

    @pytest.fixture
    def backends_of(self, cloud: FakeCloud, spec: ClusterSpec) -> Callable[[str], frozenset[str]]:
        balancers = cloud.site(spec.id).balancers
        return lambda name: frozenset(address for address, _ in balancers[name].balance.backends)
