"""Whole clusters on the fake cloud, with their names in a real PowerDNS: made, changed by others, shrunk, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import kubo_sdk_powerdns.plugin
from kubo_sdk import Cluster, Plugins
from kubo_sdk.model.spec import ClusterSpec, ProviderChoice
from kubo_sdk.planning.plan import Verb
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized

from .lab.server import PdnsServer
from .lab.site import PdnsSite

REVERSE = "127.in-addr.arpa"


@pytest.fixture
def site(server: PdnsServer, tmp_path: Path) -> Iterator[PdnsSite]:
    site = PdnsSite.make(server, tmp_path / "site", "fakes.example")
    yield site
    for zone in site.call("GET", "/zones"):
        site.call("DELETE", f"/zones/{zone['id']}")


@pytest.fixture(params=["api", "update"])
def spec(request: pytest.FixtureRequest, site: PdnsSite, tmp_path: Path) -> ClusterSpec:
    options: dict[str, Any] = site.by_api() if request.param == "api" else site.by_update()
    if request.param == "update":
        for zone in (site.zone, REVERSE):
            site.make_zone(zone)
            site.allow_updates(zone)
    dns = ProviderChoice(provider="powerdns", options={**options, "reverse_zones": [REVERSE]})
    groups = sized(etcd=1, master=1, worker=2, proxy=1)
    return fake_spec(tmp_path / "release", instance_groups=groups, dns=dns, zone=site.zone)


def cluster(spec: ClusterSpec, cloud: FakeCloud, home: Path) -> Cluster:
    return Cluster(
        spec,
        plugins=Plugins(cloud.plugin(), kubo_sdk_powerdns.plugin, load_installed=False),
        clock=cloud.clock,
        state_dir=home / "state",
        cache_dir=home / "cache",
    )


def names(site: PdnsSite, zone: str | None = None) -> set[str]:
    """What our zone has besides what a zone needs."""
    return {name for name, kind in site.rrsets(zone) if kind != "NS" and not name.startswith("ns.")}


def test_names_follow_a_cluster_from_its_first_day_to_its_last(
    site: PdnsSite, spec: ClusterSpec, tmp_path: Path
) -> None:
    with FakeCloud() as cloud:
        cluster(spec, cloud, tmp_path).deploy()
        machines = cloud.machines_of(spec.id)
        for instance in spec.instances():
            address = machines[instance.id].vm.address
            back = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
            assert site.answers(spec.hostname(instance), "A") == [address]
            assert site.answers(back, "PTR") == [f"{spec.hostname(instance)}."]
        assert len(site.rrsets(REVERSE)) == 1 + 2 * len(spec.instances())
        assert cluster(spec, cloud, tmp_path).plan().is_empty

        lost, changed = (spec.hostname(instance) for instance in spec.instances()[:2])
        site.replace(lost, "A")
        site.replace(changed, "A", "192.0.2.66")
        site.replace(f"by-hand.{spec.domain}", "A", "192.0.2.7")
        (step,) = cluster(spec, cloud, tmp_path).plan().steps
        assert step.verb is Verb.PUBLISH_NAMES
        assert set(step.details) == {lost, changed}
        cluster(spec, cloud, tmp_path).deploy()
        assert cluster(spec, cloud, tmp_path).plan().is_empty
        assert site.answers(changed, "A") != ["192.0.2.66"]

        less = attrs.evolve(spec, instance_groups=sized(etcd=1, master=1, worker=1, proxy=1))
        cluster(less, cloud, tmp_path).deploy()
        assert site.answers(f"worker-1.{spec.domain}", "A") == []
        assert len(site.rrsets(REVERSE)) == 1 + 2 * len(less.instances())
        assert cluster(less, cloud, tmp_path).plan().is_empty

        cluster(less, cloud, tmp_path).delete()
        assert names(site) == {f"by-hand.{spec.domain}"}
        assert names(site, REVERSE) == set()
