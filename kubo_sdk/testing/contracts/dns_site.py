"""Where the suite of a DNS provider works: the zone, the provider, and who else has records there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import field, frozen

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import RECORD_TYPES, Dns, Record
from kubo_sdk.testing.contracts.contract import not_offered, require_flag
from kubo_sdk.testing.contracts.contribution import ContributionContract
from kubo_sdk.testing.spawn import Spawnable

Eventually = Callable[..., None]
Found = Callable[[], frozenset[Record]]


@frozen(kw_only=True)
class ForeignRecord:
    """A record of the zone that people made past any provider, and a way to read it back past any provider.

    ``read()`` returns whatever tells how it is now; while nobody touches it, always the same.
    """

    record: Record
    read: Callable[[], object] = field(eq=False)


class DnsSite(ContributionContract):
    """Fixtures.  An author gives ``dns`` and may give the others.

    ``record_types``: the types that the provider takes.
    """

    record_types: tuple[str, ...] = RECORD_TYPES

    @pytest.fixture
    def dns(self) -> Dns:
        """The DNS provider to be judged, connected."""
        raise NotImplementedError("give the contract a fixture 'dns'")

    @pytest.fixture
    def provider(self, dns: Dns) -> Any:
        return dns

    @pytest.fixture
    def stranger(self) -> Dns:
        """The same provider connected for another cluster in the same zone, `stranger_spec()`."""
        not_offered("stranger", "puts records of another cluster into the zone")

    @pytest.fixture
    def namesake(self) -> Dns:
        """The same provider connected for a cluster of the same name of another director, `namesake_spec()`."""
        not_offered("namesake", "puts records of another director's cluster of the same name into the zone")

    @pytest.fixture(params=["stranger", "namesake"])
    def other(self, request: pytest.FixtureRequest) -> Dns:
        """Each of the two clusters that are easily taken for ours."""
        found: Dns = request.getfixturevalue(request.param)
        return found

    @pytest.fixture
    def made_by_hand(self) -> ForeignRecord:
        """A record that no provider made."""
        not_offered("made_by_hand", "is a record that no provider made")

    @pytest.fixture
    def locked_out(self) -> Dns:
        """The same provider connected with credentials that are wrong."""
        not_offered("locked_out", "is connected with wrong credentials")

    @pytest.fixture
    def spawnable(self) -> Spawnable:
        """How another process connects to the same provider."""
        not_offered("spawnable", "says how another process connects to the provider")

    @pytest.fixture
    def zone(self, dns: Dns, spec: ClusterSpec) -> Iterator[str]:
        """What our names end in.  Afterwards no record of ours is left."""
        require_flag(dns.info(), "publishes")
        try:
            yield spec.domain
        finally:
            for record in dns.list_records():
                dns.delete_record(record.name, record.type)

    @pytest.fixture
    def records(self, dns: Dns) -> Found:
        """What the provider lists now."""
        return lambda: as_set(dns)

    def require_type(self, type: str) -> None:
        """Skip the test unless the provider takes records of that type."""
        if type not in self.record_types:
            pytest.skip(f"record_types has no {type}")


def as_set(dns: Dns) -> frozenset[Record]:
    return frozenset(dns.list_records())


def sample_record(zone: str, type: str) -> Record:
    """A record such as clusters have."""
    samples = {
        "A": ("host", ("10.66.0.1", "10.66.0.2")),
        "AAAA": ("host6", ("2001:db8::1",)),
        "CNAME": ("alias", (f"host.{zone}",)),
        "TXT": ("text", ('v=1; Case kept, "quoted"',)),
        "SRV": ("_etcd-server._tcp", (f"0 10 2380 etcd-0.{zone}", f"0 10 2380 etcd-1.{zone}")),
        "PTR": ("pointer", (f"host.{zone}",)),
    }
    name, values = samples[type]
    return Record(name=f"{name}.{zone}", type=type, values=values)
