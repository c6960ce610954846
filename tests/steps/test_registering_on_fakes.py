"""Masters that register themselves: where the API is follows from the options, and nobody is asked for it."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from kubo_sdk.errors import DeployFailed
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.planning.plan import Verb
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.testing.fakes import FakeCloud
from kubo_sdk.testing.fakes.registering import PORT, REGISTERING, UNIT, USER

from .fleet import Fleet, fleet


@pytest.fixture
def there(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    """A cluster without proxies that is not deployed yet."""
    made = fleet(tmp_path, cloud, etcd=1, master=2, worker=1, proxy=0)
    made.spec = attrs.evolve(made.spec, ingress=ProviderChoice(provider=REGISTERING))
    return made


def test_the_external_port_is_the_only_way_in_for_everybody(there: Fleet) -> None:
    there.cluster.deploy()
    there.check_whole()
    door = there.cloud.site(there.spec.id).door
    assert door is not None
    assert there.cluster.status().endpoint == f"https://{door.host}:{PORT}"
    told = there.machine("worker/0").files["/etc/kubernetes/kubelet.kubeconfig"].decode()
    assert f"https://{door.host}:{PORT}" in told


def test_each_master_has_a_certificate_of_the_ingress_user_that_goes_with_it(there: Fleet) -> None:
    def leaves() -> set[str]:
        return {found.name.rpartition("/")[2] for found in there.cloud.store.find("/") if "/ingress-" in found.name}

    there.cluster.deploy()
    assert leaves() == {"ingress-master-0", "ingress-master-1"}
    value = there.cloud.store.get(there.spec.id.credential("ingress-master-0")).value
    assert isinstance(value, Certificate)
    there.resize(master=1)
    there.cluster.deploy()
    assert leaves() == {"ingress-master-0"}
    assert USER


def test_a_master_that_leaves_is_taken_back_before_its_machine_goes(there: Fleet) -> None:
    there.cluster.deploy()
    there.resize(master=1)
    plan = there.cluster.plan()
    (withdrawn,) = [step for step in plan.steps if step.verb is Verb.QUIESCE]
    assert (withdrawn.instance, withdrawn.details) == ("master/1", (UNIT,))
    there.cluster.deploy()
    done = there.done()
    assert done.index("quiesce master/1") < done.index("delete vm master/1")
    there.check_whole()


def test_what_is_registered_is_deleted_after_the_machines_that_would_register_again(there: Fleet) -> None:
    there.cluster.deploy()
    there.cluster.delete()
    done = there.done()
    assert done.index("delete endpoints") > max(
        place for place, step in enumerate(done) if step.startswith("delete vm")
    )


def test_masters_take_their_routes_back_before_any_machine_goes(there: Fleet) -> None:
    there.cluster.deploy()
    there.cluster.delete()
    done = there.done()
    withdrawn = [place for place, step in enumerate(done) if step.startswith("quiesce master/")]
    assert len(withdrawn) == 2
    assert max(withdrawn) < min(place for place, step in enumerate(done) if step.startswith("delete vm"))


def test_a_master_that_cannot_be_asked_goes_all_the_same(there: Fleet) -> None:
    there.cluster.deploy()
    there.cloud.faults.fail("shell.run", call=None)
    there.cluster.delete()
    there.cloud.faults.clear()
    told = [str(event) for event in there.events]
    assert len([each for each in told if "without having been asked" in each]) == 2
    assert there.cloud.machines_of(there.spec.id) == {}


def test_a_cluster_is_repaired_while_nobody_can_tell_who_is_registered(there: Fleet) -> None:
    there.cluster.deploy()
    faults = there.cloud.faults
    for method in ("ingress.list_endpoints", "ingress.ensure_endpoint"):
        faults.fail(method, call=None)
    assert there.cluster.plan().is_empty
    there.resize(worker=2)
    there.cluster.deploy()
    assert there.cluster.status().healthy
    faults.clear()
    there.check_whole()


def test_a_new_cluster_is_not_made_while_nobody_can_tell_whether_masters_may_register(there: Fleet) -> None:
    there.cloud.faults.fail("ingress.ensure_endpoint", call=None)
    with pytest.raises(DeployFailed) as caught:
        there.cluster.deploy()
    assert "ensure endpoints" in str(caught.value)
