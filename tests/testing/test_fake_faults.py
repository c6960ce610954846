"""Faults: each kind, and what a cluster makes of them."""

from __future__ import annotations

import shutil

import pytest

from kubo_sdk.errors import DeployFailed, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.events import StepRetried
from kubo_sdk.ports.cpi import Cpi
from kubo_sdk.testing.fakes import DirectorKilled, FakeCloud, FakeMachine
from kubo_sdk.testing.fakes.cpi import FakeCpi

from .bench import Bench


@pytest.fixture
def cpi(cloud: FakeCloud) -> Cpi:
    return FakeCpi(cloud)


def test_a_failed_call_has_no_effect_and_the_deploy_goes_on(site: Bench) -> None:
    site.cloud.faults.fail("cpi.create_vm", call=3)
    site.cluster.deploy()
    assert [event.title for event in site.events if isinstance(event, StepRetried) and "on purpose" in event.reason]
    assert site.cluster.status().healthy


def test_a_failed_call_fails_with_the_error_that_was_given(site: Bench) -> None:
    site.cloud.faults.fail("cpi.create_vm", about="worker/1", error=QuotaExceeded("no room in this zone"))
    with pytest.raises(DeployFailed, match="no room in this zone"):
        site.cluster.deploy()
    assert "worker/1" not in site.cloud.machines


def test_a_lost_answer_leaves_the_effect_and_makes_nothing_twice(site: Bench) -> None:
    site.cloud.faults.lose_answer("cpi.create_vm", call=range(1, 10))
    site.cloud.faults.lose_answer("shell.run", call=5)
    site.cluster.deploy()
    assert len(site.cloud.machines) == 9
    assert site.cluster.status().healthy


def test_a_delay_costs_virtual_time(cloud: FakeCloud, site: Bench, cpi: Cpi) -> None:
    cloud.faults.delay("cpi.list_vms", 40)
    cpi.list_vms(site.spec.id)
    assert cloud.clock.time == 40


def test_calls_beyond_the_rate_are_told_when_to_come_back(cloud: FakeCloud, site: Bench, cpi: Cpi) -> None:
    cloud.faults.throttle("cpi.list_vms", per_second=2)
    for _ in range(2):
        cpi.list_vms(site.spec.id)
    with pytest.raises(ProviderError, match="too often") as refused:
        cpi.list_vms(site.spec.id)
    assert refused.value.retry_after == 1.0
    cloud.clock.advance(1.0)
    assert cpi.list_vms(site.spec.id) == ()


def test_a_throttled_cloud_is_deployed_all_the_same(site: Bench) -> None:
    site.cloud.faults.throttle("cpi.create_vm", per_second=5)
    site.cluster.deploy()
    assert site.cluster.status().healthy


@pytest.mark.parametrize(
    "method",
    ["store.generate_many", "dns.put_record", "overlay.ensure_network", "ingress.ensure_endpoint", "shell.run"],
)
def test_faults_reach_every_port(site: Bench, method: str) -> None:
    site.cloud.faults.fail(method, call=1)
    site.cloud.faults.lose_answer(method, call=1)
    site.cluster.deploy()
    assert site.cloud.faults.counts[method] > 1
    assert [event for event in site.events if isinstance(event, StepRetried) and method in event.reason]
    assert site.cluster.status().healthy


def test_calls_are_counted_over_all_ports(site: Bench) -> None:
    site.cluster.deploy()
    faults = site.cloud.faults
    assert faults.calls == faults.counts.total()
    assert {name.partition(".")[0] for name in faults.counts} == {"cpi", "store", "dns", "overlay", "ingress", "shell"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, 5, 8, 12, 16, 20, 25, 30])
def test_a_director_killed_at_any_call_leaves_something_another_one_finishes(
    site: Bench, call: int, after: bool
) -> None:
    faults = site.cloud.faults
    faults.kill(call=call, after=after)
    with pytest.raises((DeployFailed, DirectorKilled)) as killed:
        site.cluster.deploy()
    if isinstance(killed.value, DeployFailed):
        assert any(isinstance(error, DirectorKilled) for _, error in killed.value.failures)
    made = {machine.id for machine in site.cloud.machines.values()}
    with pytest.raises(DirectorKilled):
        FakeCpi(site.cloud).list_vms(site.spec.id)
    faults.clear()
    site.cluster.deploy()
    assert made <= {machine.id for machine in site.cloud.machines.values()}
    assert site.cluster.status().healthy
    assert site.cluster.plan().steps == ()


def test_a_dead_director_reaches_no_server_either(deployed: Bench) -> None:
    api = deployed.api("master/0")
    assert api.ready()
    deployed.cloud.faults.kill()
    with pytest.raises(DirectorKilled):
        deployed.cluster.plan()
    assert not api.ready()
    deployed.cloud.faults.revive()
    assert api.ready()


def test_a_fault_can_be_about_one_machine(deployed: Bench) -> None:
    deployed.cloud.faults.fail("shell.run", call=None, about="worker/0")
    assert deployed.cluster.shell("worker/1").run(["true"]).exit_code == 0
    with pytest.raises(Unavailable):
        deployed.cluster.shell("worker/0").run(["true"])


def test_a_unit_that_fails_is_healed_by_a_restart_only_where_that_helps(deployed: Bench) -> None:
    shell = deployed.cluster.shell("worker/0")
    machine: FakeMachine = deployed.machine("worker/0")
    for helps, expected in ((True, "active"), (False, "failed")):
        machine.fail_unit("kubelet", restarts_help=helps)
        assert machine.unit_state("kubelet") == "failed"
        shell.run(["systemctl", "restart", "kubelet"])
        deployed.cloud.clock.advance(5)
        assert machine.unit_state("kubelet") == expected


def test_a_director_killed_before_there_were_endpoints_is_followed_by_one_that_issues_certificates(site: Bench) -> None:
    site.cloud.faults.kill(method="ingress.ensure_endpoint")
    with pytest.raises(DeployFailed):
        site.cluster.deploy()
    site.cloud.faults.clear()
    site.cluster.deploy()
    assert site.cluster.status().healthy


def test_a_cluster_whose_release_is_gone_from_the_cache_gets_it_first(deployed: Bench) -> None:
    shutil.rmtree(deployed.home / "cache")
    deployed.cluster.deploy()
    assert deployed.cluster.plan().steps == ()
