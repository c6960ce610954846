"""Machines from stock images, on the fakes: prepared before anything is put on them, changed in place, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from kubo_sdk.errors import DeployFailed, ShellError, Unavailable
from kubo_sdk.model.preparation_spec import PackageSource, PackagesSpec, PreparationSpec
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.nodes.preparation_script import PREPARED
from kubo_sdk.testing.fakes import FakeCloud, fake_release
from kubo_sdk.testing.fakes.preparation import PACKAGES

from .fleet import Fleet, fleet


@pytest.fixture
def stock() -> Iterator[FakeCloud]:
    with FakeCloud(shares_trees=False, stock_images=True) as made:
        yield made


@pytest.fixture
def site(stock: FakeCloud, tmp_path: Path) -> Fleet:
    return fleet(tmp_path, stock, etcd=1, master=1, worker=2)


def packages(site: Fleet, instance: str) -> set[str]:
    return set(site.machine(instance).files[PACKAGES].decode().split())


def test_every_machine_is_prepared_before_it_is_configured(site: Fleet) -> None:
    site.cluster.deploy()
    done = site.done()
    for instance in site.spec.instances():
        assert done.index(f"create vm {instance.id}") < done.index(f"prepare {instance.id}")
        assert done.index(f"prepare {instance.id}") < done.index(f"configure {instance.id}")
    site.check_whole()


def test_a_machine_gets_what_its_role_and_the_providers_need(stock: FakeCloud, tmp_path: Path) -> None:
    site = fleet(tmp_path, stock, etcd=1, master=1, worker=1)
    site.spec = attrs.evolve(site.spec, ingress=ProviderChoice(provider="haproxy"))
    site.cluster.deploy()
    assert {"containerd", "conntrack"} <= packages(site, "worker/0")
    assert "containerd" not in packages(site, "master/0")
    assert "haproxy" in packages(site, "proxy/0")
    assert "haproxy" not in packages(site, "worker/0")
    assert "etcd-server" in packages(site, "etcd/0")


def test_a_release_with_an_etcd_of_its_own_needs_none_of_the_image(stock: FakeCloud, tmp_path: Path) -> None:
    site = fleet(tmp_path, stock, etcd=1, master=1, worker=1)
    source = fake_release(tmp_path / "own", etcd="3.5.21")
    site.spec = attrs.evolve(site.spec, kubernetes=attrs.evolve(site.spec.kubernetes, source=source))
    site.cluster.deploy()
    assert "etcd-server" not in packages(site, "etcd/0")


def test_a_changed_preparation_is_a_change_in_place_and_restarts_nothing(site: Fleet) -> None:
    site.cluster.deploy()
    before = {name: machine.id for name, machine in site.cloud.machines.items()}
    more = PreparationSpec(packages=PackagesSpec(extra=("vim-tiny",)))
    site.spec = attrs.evolve(site.spec, preparation=more)
    plan = site.cluster.plan()
    assert {step.verb.value for step in plan.steps} == {"prepare"}
    assert {str(step.effect) for step in plan.steps} == {"change"}
    assert not plan.interrupts
    site.cluster.deploy()
    assert "vim-tiny" in packages(site, "worker/1")
    assert {name: machine.id for name, machine in site.cloud.machines.items()} == before
    site.check_whole()


def test_another_mirror_changes_no_machine_that_has_its_packages(site: Fleet) -> None:
    site.cluster.deploy()
    mirror = PackagesSpec(apt=("deb http://mirror.example/debian {codename} main",))
    site.spec = attrs.evolve(site.spec, preparation=PreparationSpec(packages=mirror))
    assert site.cluster.plan().is_empty


def test_members_that_serve_are_prepared_one_after_the_other(stock: FakeCloud, tmp_path: Path) -> None:
    site = fleet(tmp_path, stock, etcd=3, master=2, worker=2)
    site.cluster.deploy()
    site.spec = attrs.evolve(site.spec, preparation=PreparationSpec(packages=PackagesSpec(extra=("vim-tiny",))))
    needs = {step.id: step.needs for step in site.cluster.plan().steps}
    assert needs["prepare etcd/1"] == ("prepare etcd/0",)
    assert needs["prepare etcd/2"] == ("prepare etcd/1",)
    assert needs["prepare worker/1"] == ()


def test_no_machine_is_asked_more_often_than_without_preparation(stock: FakeCloud, tmp_path: Path) -> None:
    """What a machine was prepared with comes with what else it carries."""
    asked = {}
    for name, cloud in (("stock", stock), ("plain", FakeCloud())):
        with cloud:
            site = fleet(tmp_path / name, cloud, etcd=1, master=1, worker=1)
            site.cluster.deploy()
            before = cloud.faults.counts["shell.run"]
            assert site.cluster.plan().is_empty
            asked[name] = cloud.faults.counts["shell.run"] - before
    assert asked["stock"] == asked["plain"]


def test_a_machine_that_lost_its_preparation_is_prepared_again(site: Fleet) -> None:
    site.cluster.deploy()
    del site.machine("worker/1").files[PREPARED]
    plan = site.cluster.plan()
    assert [step.id for step in plan.steps] == ["prepare worker/1"]
    assert plan.fingerprint != ""
    site.cluster.apply(plan)
    site.check_whole()


def test_what_a_machine_refuses_is_told_in_one_sentence(site: Fleet) -> None:
    site.cluster.deploy()
    site.machine("worker/1").kill()
    site.spec = attrs.evolve(site.spec, preparation=PreparationSpec(packages=PackagesSpec(extra=("vim-tiny",))))
    site.machine("worker/0").disk_is_full = True
    with pytest.raises(DeployFailed) as raised:
        site.cluster.deploy()
    told = dict(raised.value.failures)["prepare worker/0"]
    assert isinstance(told, ShellError)
    assert str(told).startswith("worker/0 cannot be prepared: it has 0 MB left on /var and needs 1024;")
    assert "\n" not in str(told)
    site.machine("worker/0").free_disk()
    site.cluster.deploy()
    site.check_whole()


def test_packages_are_sent_as_a_bundle_where_there_is_no_mirror(site: Fleet, tmp_path: Path) -> None:
    bundle = tmp_path / "debs"
    bundle.mkdir()
    (bundle / "containerd_1.6_amd64.deb").write_bytes(b"!<arch>\n")
    sent = PackagesSpec(source=PackageSource.BUNDLE, bundle=bundle)
    site.spec = attrs.evolve(site.spec, preparation=PreparationSpec(packages=sent))
    site.cluster.deploy()
    assert any("/bundle-" in tree for tree in site.machine("worker/0").trees)
    site.check_whole()


def test_an_empty_bundle_is_refused(site: Fleet, tmp_path: Path) -> None:
    (tmp_path / "debs").mkdir()
    sent = PackagesSpec(source=PackageSource.BUNDLE, bundle=tmp_path / "debs")
    site.spec = attrs.evolve(site.spec, preparation=PreparationSpec(packages=sent))
    with pytest.raises(DeployFailed, match=r"holds no \.deb files; put those in that machines need"):
        site.cluster.deploy()


def test_a_connection_lost_in_the_middle_costs_nothing(site: Fleet) -> None:
    site.cloud.faults.fail("shell.run", about="worker/0", call=(1, 2, 4, 6), error=Unavailable("it was lost"))
    site.cluster.deploy()
    site.check_whole()
