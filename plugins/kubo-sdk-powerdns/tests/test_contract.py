"""The contract of every DNS provider, on a real PowerDNS: over its HTTP API and over dynamic updates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.testing.contracts.dns import DnsContract, ForeignRecord
from kubo_sdk.testing.node_contexts import namesake_spec, sample_spec, stranger_spec
from kubo_sdk.testing.spawn import Spawnable

from .lab.server import PdnsServer
from .lab.site import PdnsSite


class PowerdnsContract(DnsContract):
    """Subclasses give ``site``, a fresh zone, ``options``, and ``wrong``: those with a wrong secret."""

    @pytest.fixture
    def spec(self) -> ClusterSpec:
        return sample_spec()

    @pytest.fixture
    def dns(self, site: PdnsSite, spec: ClusterSpec, options: dict[str, Any]) -> Dns:
        return site.connect(spec, options)

    @pytest.fixture
    def reconnected(self, site: PdnsSite, spec: ClusterSpec, options: dict[str, Any]) -> Dns:
        return site.connect(spec, options)

    @pytest.fixture
    def stranger(self, site: PdnsSite, options: dict[str, Any]) -> Dns:
        return site.connect(stranger_spec(), options)

    @pytest.fixture
    def namesake(self, site: PdnsSite, options: dict[str, Any]) -> Dns:
        return site.connect(namesake_spec(), options)

    @pytest.fixture
    def locked_out(self, site: PdnsSite, spec: ClusterSpec, wrong: dict[str, Any]) -> Dns:
        return site.connect(spec, wrong)

    @pytest.fixture
    def spawnable(self, site: PdnsSite, options: dict[str, Any]) -> Spawnable:
        return Spawnable(provider="powerdns", options=options, state_dir=site.directory, cache_dir=site.directory)

    @pytest.fixture
    def made_by_hand(self, site: PdnsSite, spec: ClusterSpec) -> ForeignRecord:
        name = f"by-hand.{spec.domain}"
        site.replace(name, "A", "192.0.2.7", ttl=77)
        record = Record(name=name, type="A", values=("192.0.2.7",), ttl=77)
        return ForeignRecord(record=record, read=lambda: [site.rrsets()[name, "A"], site.answers(name, "A")])


class TestOverHttp(PowerdnsContract):
    @pytest.fixture
    def site(self, server: PdnsServer, tmp_path: Path) -> Iterator[PdnsSite]:
        site = PdnsSite.make(server, tmp_path / "site", sample_spec().zone)
        site.make_zone()
        yield site
        site.drop_zone()

    @pytest.fixture
    def options(self, site: PdnsSite) -> dict[str, Any]:
        return site.by_api()

    @pytest.fixture
    def wrong(self, site: PdnsSite, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "wrong.key").write_text("not-the-key", encoding="utf-8")
        return site.by_api(key_file=str(tmp_path / "wrong.key"))


class TestOverDynamicUpdates(TestOverHttp):
    @pytest.fixture
    def site(self, server: PdnsServer, tmp_path: Path) -> Iterator[PdnsSite]:
        site = PdnsSite.make(server, tmp_path / "site", sample_spec().zone)
        site.make_zone()
        site.allow_updates()
        yield site
        site.drop_zone()

    @pytest.fixture
    def options(self, site: PdnsSite) -> dict[str, Any]:
        return site.by_update()

    @pytest.fixture
    def wrong(self, site: PdnsSite, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "wrong.key").write_text("bm90LXRoZS1rZXk=", encoding="utf-8")
        return site.by_update(key_file=str(tmp_path / "wrong.key"))


class TestOneOverHttpAndOthersOverDynamicUpdates(TestOverDynamicUpdates):
    """Both transports see the same marks."""

    @pytest.fixture
    def dns(self, site: PdnsSite, spec: ClusterSpec) -> Dns:
        return site.connect(spec, site.by_api())
