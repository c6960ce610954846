"""Probing whole clusters on the fake cloud: whatever breaks, the facts say so, and nobody is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, field, frozen

from kubo_sdk import Cluster, Plugins
from kubo_sdk.errors import Unavailable
from kubo_sdk.model.spec import ClusterSpec, NetworkSpec
from kubo_sdk.notes import DirectorNotes, write_notes
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.ports.cpi import Cpi, Vm
from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk.probe import Prober, probe
from kubo_sdk.providers import Providers
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized

MANY = 1000
# Two seconds are promised; the rest is for a host that has other things to do.
SECONDS = 6.0


@frozen(kw_only=True)
class Site:
    """One cluster on one cloud."""

    cloud: FakeCloud
    cluster: Cluster

    @property
    def spec(self) -> ClusterSpec:
        return self.cluster.spec

    @property
    def providers(self) -> Providers:
        return self.cluster.providers

    def probe(self) -> HealthReport:
        return probe(self.spec, self.providers, self.cloud.clock)

    def prober(self, **options: Any) -> Prober:
        return Prober(self.spec, self.providers, self.cloud.clock, **options)


@contextmanager
def deployed(home: Path, **changes: Any) -> Iterator[Site]:
    with FakeCloud() as cloud:
        cluster = Cluster(
            fake_spec(home / "release", **changes),
            plugins=Plugins(cloud.plugin(), load_installed=False),
            clock=cloud.clock,
            state_dir=home / "state",
            cache_dir=home / "cache",
        )
        cluster.deploy()
        yield Site(cloud=cloud, cluster=cluster)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with deployed(tmp_path) as made:
        yield made


def sick(report: HealthReport) -> set[str]:
    return {health.instance.id for health in report.instances if not health.is_healthy}


def verdict(report: HealthReport, instance: str, source: Source) -> Verdict:
    fact = report.health(instance).fact(source)
    assert fact is not None
    return fact.verdict


def word(report: HealthReport, instance: str, source: Source) -> str:
    fact = report.health(instance).fact(source)
    assert fact is not None
    return fact.word


def test_a_cluster_that_was_just_deployed_is_healthy_in_every_respect(site: Site) -> None:
    report = site.probe()
    assert sick(report) == set()
    assert report.api_ready
    assert report.members is not None
    assert sorted(member.name for member in report.members) == ["etcd-0", "etcd-1", "etcd-2"]
    assert sum(member.leader for member in report.members) == 1
    assert report.nodes is not None
    assert {node.instance for node in report.nodes} == {"worker-0", "worker-1", "worker-2"}
    leaves = {leaf for leaf, _ in report.expiries}
    assert {"ca", "etcd-ca", "admin", "kubelet-worker-2", "etcd-peer-etcd-1"} <= leaves


def test_before_the_first_deploy_nothing_is_there_and_that_is_no_error(tmp_path: Path) -> None:
    with FakeCloud() as cloud:
        spec = fake_spec(tmp_path / "release")
        cluster = Cluster(
            spec, plugins=Plugins(cloud.plugin(), load_installed=False), state_dir=tmp_path, cache_dir=tmp_path
        )
        report = probe(spec, cluster.providers, cloud.clock)
        assert {word(report, instance.id, Source.MACHINE) for instance in spec.instances()} == {"missing"}
        assert (report.api_ready, report.members, report.nodes, report.expiries) == (False, None, None, ())
        assert cluster.status().verdict == "there is no cluster; run: kubo up"


def test_a_machine_that_is_gone_is_missing_and_says_nothing_more(site: Site) -> None:
    site.cloud.machines["worker/1"].kill()
    report = site.probe()
    assert sick(report) == {"worker/1"}
    assert verdict(report, "worker/1", Source.MACHINE) is Verdict.BAD
    assert {fact.verdict for fact in report.health("worker/1").facts[1:]} == {Verdict.UNKNOWN}


def test_a_machine_that_is_off_is_stopped(site: Site) -> None:
    site.cloud.machines["master/0"].power_off()
    report = site.probe()
    assert (word(report, "master/0", Source.MACHINE), verdict(report, "master/0", Source.API)) == (
        "stopped",
        Verdict.UNKNOWN,
    )


@pytest.mark.parametrize("how", ["hang", "cut_off"])
def test_a_machine_that_answers_nobody_is_bad_although_the_cpi_sees_it_running(site: Site, how: str) -> None:
    getattr(site.cloud.machines["etcd/1"], how)()
    report = site.probe()
    assert verdict(report, "etcd/1", Source.MACHINE) is Verdict.GOOD
    assert verdict(report, "etcd/1", Source.SHELL) is Verdict.BAD
    assert verdict(report, "etcd/1", Source.UNITS) is Verdict.UNKNOWN
    assert verdict(report, "etcd/1", Source.ETCD) is Verdict.BAD
    assert report.members is not None
    assert {member.name for member in report.members if not member.healthy} == {"etcd-1"}


def test_a_unit_that_failed_is_named(site: Site) -> None:
    site.cloud.machines["worker/0"].fail_unit("containerd")
    fact = site.probe().health("worker/0").fact(Source.UNITS)
    assert fact is not None
    assert (fact.verdict, fact.details) == (Verdict.BAD, ("containerd.service",))


@pytest.mark.parametrize("instance", ["worker/0", "master/1", "etcd/2"])
def test_a_machine_that_is_cut_off_and_can_be_entered_says_whom_it_cannot_reach(site: Site, instance: str) -> None:
    site.cloud.clock.advance(60)
    site.cloud.machines[instance].cut_off(console=True)
    report = site.probe()
    assert verdict(report, instance, Source.SHELL) is Verdict.GOOD
    assert verdict(report, instance, Source.NETWORK) is Verdict.BAD
    assert [problem.id for problem in diagnose(report, site.spec)] == [f"cut_off_machine:{instance}"]


def test_members_and_masters_that_are_well_are_not_sent_to_knock_again(site: Site) -> None:
    with site.prober() as prober:
        assert word(prober.probe(), "etcd/0", Source.NETWORK).startswith("reaches ")
        report = prober.probe()
        assert word(report, "etcd/0", Source.NETWORK) == word(report, "master/0", Source.NETWORK) == "not asked"
        assert word(report, "worker/0", Source.NETWORK) == f"reaches {report.endpoint}"
        site.cloud.clock.advance(60)
        site.cloud.machines["etcd/0"].cut_off(console=True)
        prober.probe()
        assert verdict(prober.probe(), "etcd/0", Source.NETWORK) is Verdict.BAD


@pytest.mark.parametrize("unit", ["kubelet", "kube-proxy", "containerd"])
def test_a_daemon_that_stands_still_is_told_long_before_its_node_is(site: Site, unit: str) -> None:
    site.cloud.clock.advance(60)
    site.cloud.machines["worker/0"].hang_unit(unit)
    fact = site.probe().health("worker/0").fact(Source.UNITS)
    assert fact is not None
    assert (fact.word, fact.details) == (f"{unit} does not answer", (f"{unit}.service",))


def test_an_api_server_that_hangs_is_told_from_its_unit_which_is_active(site: Site) -> None:
    site.cloud.machines["master/1"].hang_unit("kube-apiserver")
    report = site.probe()
    assert verdict(report, "master/1", Source.UNITS) is Verdict.GOOD
    assert word(report, "master/1", Source.API).startswith("silent: ")
    assert report.nodes is not None


def test_a_machine_that_boots_is_not_bad(site: Site) -> None:
    machine = site.cloud.machines["worker/2"]
    machine.power_off()
    machine.power_on()
    report = site.probe()
    assert all(
        fact.verdict is not Verdict.BAD for fact in report.health("worker/2").facts if fact.source != Source.SHELL
    )
    assert sick(report) == {"worker/2"}
    site.cloud.clock.advance(60)
    assert sick(site.probe()) == set()


def test_the_nodes_are_told_past_an_endpoint_that_is_gone(site: Site) -> None:
    site.providers.ingress.delete_endpoint("api")
    report = site.probe()
    assert not report.api_ready
    assert report.nodes is not None
    assert len(report.nodes) == 3


def test_a_disk_that_is_lost_or_full_is_seen(site: Site) -> None:
    site.cloud.machines["etcd/0"].lose_disk()
    site.cloud.machines["etcd/1"].fill_disk()
    report = site.probe()
    assert (word(report, "etcd/0", Source.DISK), report.health("etcd/0").disk) == ("not mounted", None)
    assert word(report, "etcd/1", Source.DISK) == "full"


def test_what_belongs_to_no_wished_instance_is_a_stranger(site: Site) -> None:
    spec = evolve(site.spec, instance_groups=sized(worker=1, etcd=1))
    report = probe(spec, site.providers, site.cloud.clock)
    assert {vm.instance for vm in report.strangers} == {"worker/1", "worker/2", "etcd/1", "etcd/2"}
    assert {disk.instance for disk in report.stray_disks} == {"etcd/1", "etcd/2"}
    assert report.members is not None
    assert all(member.healthy for member in report.members)  # Those that are to leave vote until they left.
    assert not any("etcd-2" in leaf for leaf, _ in report.expiries)


def test_the_directors_notes_are_in_the_report(site: Site) -> None:
    notes = DirectorNotes(cluster_paused=True, paused=("worker/0",), stopped=("worker/1",))
    write_notes(site.providers.credential_store, site.spec.id, notes)
    report = site.probe()
    assert (report.cluster_paused, report.paused, report.stopped) == (True, ("worker/0",), ("worker/1",))
    assert site.cluster.plan().is_empty
    site.cluster.delete()
    assert site.providers.credential_store.find(f"/{site.spec.id}") == ()


def test_new_notes_are_seen_by_the_next_probe(site: Site) -> None:
    with site.prober() as prober:
        assert prober.probe().paused == ()
        for paused in (("worker/0",), ("worker/0", "worker/1"), ()):
            write_notes(site.providers.credential_store, site.spec.id, DirectorNotes(paused=paused))
            assert prober.probe().paused == paused


def test_credentials_are_opened_once(site: Site) -> None:
    with site.prober() as prober:
        prober.probe()
        opened = site.cloud.faults.counts["store.get"]
        prober.probe()
        assert site.cloud.faults.counts["store.get"] == opened


def test_a_cpi_that_never_told_its_machines_is_an_error_and_no_machine_is_missing(site: Site) -> None:
    site.cloud.faults.fail("cpi.list_vms", call=None, error=Unavailable("the cloud is away"))
    with pytest.raises(Unavailable, match="the cloud is away"):
        site.probe()


def test_a_cpi_that_falls_silent_makes_its_facts_older(site: Site) -> None:
    with site.prober() as prober:
        prober.probe()
        site.cloud.faults.fail("cpi.*", call=None)
        site.cloud.clock.advance(30)
        report = prober.probe()
        machine, shell = report.health("worker/0").fact(Source.MACHINE), report.health("worker/0").fact(Source.SHELL)
        assert machine is not None
        assert shell is not None
        assert (report.at - machine.seen).total_seconds() >= 30
        assert shell.seen == report.at
        assert sick(report) == set()


def test_a_store_that_falls_silent_hides_nothing_that_was_known(site: Site) -> None:
    with site.prober() as prober:
        before = prober.probe()
        site.cloud.faults.fail("store.*", call=None)
        report = prober.probe()
        assert (sick(report), report.expiries) == (set(), before.expiries)


def test_machines_that_are_well_are_entered_less_often_and_their_facts_grow_older(site: Site) -> None:
    counts = site.cloud.faults.counts
    with site.prober(machines_every=5.0) as prober:
        prober.probe()
        entered = counts["shell.run"]
        site.cloud.machines["worker/0"].fail_unit("kubelet")
        site.cloud.clock.advance(2)
        report = prober.probe()
        units = report.health("worker/0").fact(Source.UNITS)
        assert counts["shell.run"] == entered
        assert units is not None
        assert (report.at - units.seen).total_seconds() >= 2
        site.cloud.clock.advance(4)
        assert verdict(prober.probe(), "worker/0", Source.UNITS) is Verdict.BAD
        again = counts["shell.run"]
        prober.probe()  # Who is not well is asked every time, the others are not.
        assert counts["shell.run"] == again + 1


@frozen
class StuckShell:
    """A shell behind which nothing moves: the caller waits real seconds, as it would for a machine cut off."""

    door: threading.Event

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        self.door.wait(timeout)
        raise Unavailable(f"{command[0]} with {len(stdin)} bytes did not end within {timeout:g} s")

    def interact(self, command: Sequence[str]) -> int:
        return self.run(command).exit_code


@frozen
class StuckCpi:
    """Another CPI, on half of whose machines nothing moves."""

    cpi: Cpi
    door: threading.Event = field(factory=threading.Event)

    def open_shell(self, vm: Vm) -> Shell:
        return StuckShell(self.door) if int(vm.instance.partition("/")[2]) % 2 else self.cpi.open_shell(vm)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cpi, name)


def test_a_thousand_instances_are_probed_while_half_of_them_are_stuck(tmp_path: Path) -> None:
    pods = NetworkSpec(pods=IPv4Network("10.128.0.0/10"))
    groups = sized(worker=MANY - 6)
    with deployed(tmp_path, instance_groups=groups, network=pods) as site:
        assert sick(site.probe()) == set()
        stuck: Any = StuckCpi(site.providers.cpi)
        started = time.monotonic()
        report = probe(site.spec, evolve(site.providers, cpi=stuck), site.cloud.clock)
        assert time.monotonic() - started < SECONDS
        stuck.door.set()
        odd = {instance.id for instance in site.spec.instances() if instance.index % 2}
        assert len(report.instances) == MANY
        assert sick(report) == odd
        assert {verdict(report, instance, Source.SHELL) for instance in odd} == {Verdict.BAD}
