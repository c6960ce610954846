"""Rotation on a fake cloud, with real TLS: nothing shows what somebody does not trust yet, wherever it is cut off."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from kubo_sdk import Cluster, Plugins
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.errors import ConfigError, KuboError, UnsafePlan
from kubo_sdk.planning.rotation import AUTHORITIES, ENCRYPTION_KEY, ROTATABLE, SERVICE_ACCOUNT
from kubo_sdk.testing.fakes import DirectorKilled, FakeCloud

from .fleet import Fleet, fleet
from .trust import TrustWatch, keys_of

Act = Callable[[Cluster], object]


def rotate(cluster: Cluster) -> object:
    return cluster.rotate(*ROTATABLE, settle_seconds=0)


@pytest.fixture
def there(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    made = fleet(tmp_path, cloud, etcd=1, master=2, worker=1, proxy=0)
    made.cluster.deploy()
    return made


def watched(there: Fleet) -> tuple[Cluster, TrustWatch]:
    """The cluster as a new process would see it, and who looks at its machines at every event."""
    watch = TrustWatch(there=there)
    cluster = Cluster(
        there.spec,
        plugins=Plugins(there.cloud.plugin(), load_installed=False),
        clock=there.cloud.clock,
        state_dir=there.home / "state",
        cache_dir=there.home / "cache",
        observers=[watch.append],
        cancel=CancelToken(),
    )
    return cluster, watch


def marks(there: Fleet) -> dict[str, object]:
    """What is used of everything that can be rotated."""
    return {leaf: there.cloud.store.get(there.spec.id.credential(leaf)).value for leaf in ROTATABLE}


def check_ended(there: Fleet, watch: TrustWatch) -> None:
    assert watch.problems == []
    watch.look("at the end")
    for family in AUTHORITIES:
        assert watch.trusted(family) == watch.shown(family)
        assert len(watch.trusted(family)) == 1
    for name, machine in there.cloud.machines_of(there.spec.id).items():
        if name.startswith("master"):
            assert len(keys_of(machine.files)) == 1
    there.check_whole()
    leaves = {each.name.rpartition("/")[2] for each in there.cloud.store.find("/")}
    assert not {leaf for leaf in leaves if leaf.endswith(("-next", "-previous"))}


def test_everything_is_rotated_and_nothing_trusts_the_old_any_more(there: Fleet) -> None:
    cluster, watch = watched(there)
    before, old = marks(there), {}
    watch.look("before")
    for family in AUTHORITIES:
        (old[family],) = watch.trusted(family)
    assert rotate(cluster) == ()
    check_ended(there, watch)
    after = marks(there)
    assert all(after[leaf] != before[leaf] for leaf in ROTATABLE)
    assert watch.most == dict.fromkeys(AUTHORITIES, 2)
    for family in AUTHORITIES:
        assert old[family] not in watch.trusted(family)


def test_it_stops_where_it_is_asked_to_and_goes_on_or_back_from_there(there: Fleet) -> None:
    cluster, watch = watched(there)
    before = marks(there)
    assert cluster.rotate(*ROTATABLE, until="trust") == ROTATABLE
    assert marks(there)["ca"].certificate == before["ca"].certificate  # type: ignore[attr-defined]
    assert cluster.rotate(until="trust") == ROTATABLE
    assert cluster.rotate(until="switch") == ROTATABLE
    assert cluster.rotate(until="trust") == ROTATABLE
    assert marks(there)["ca"].certificate != before["ca"].certificate  # type: ignore[attr-defined]
    assert cluster.rotate(undo=True, settle_seconds=0) == ()
    check_ended(there, watch)
    assert marks(there) == before


@pytest.mark.parametrize("until", ["trust", "switch"])
def test_a_machine_that_is_lost_between_two_stages_comes_back_and_is_told_what_all_others_were(
    there: Fleet, until: str
) -> None:
    cluster, watch = watched(there)
    cluster.rotate(*ROTATABLE, until=until)
    there.machine("worker/0").kill()
    there.cluster.deploy()
    assert rotate(cluster) == ()
    check_ended(there, watch)


def test_a_new_instance_waits_for_the_end_of_the_rotation(there: Fleet) -> None:
    cluster, _ = watched(there)
    cluster.rotate("ca", until="trust")
    there.resize(worker=2)
    with pytest.raises(UnsafePlan, match=r"the rotation of ca is half done.*before worker/1 is added"):
        there.cluster.deploy()
    there.resize(worker=1)
    there.cluster.rotate()
    there.resize(worker=2)
    there.cluster.deploy()
    there.check_whole()


def test_a_stopped_machine_holds_the_next_stage_up(there: Fleet) -> None:
    there.cluster.rotate("ca", until="trust")
    there.cluster.stop("worker/0")
    with pytest.raises(UnsafePlan, match=r"worker/0 of cluster .* is stopped, so nobody can tell it whom to trust"):
        there.cluster.rotate()
    there.cluster.start("worker/0")
    assert there.cluster.rotate() == ()


def test_what_cannot_be_rotated_is_told_before_anything_is_changed(there: Fleet) -> None:
    before = marks(there)
    for leaves, options, told in (
        (("admin",), {}, "there is no authority or key 'admin'; choose from ca, etcd-ca"),
        ((), {}, "nothing is being rotated; say what to rotate"),
        ((), {"undo": True}, "is being rotated, so there is nothing to take back"),
        (("ca",), {"until": "drop"}, "cannot stop after 'drop'"),
        (("ca",), {"until": "trust", "undo": True}, "cannot stop on the way back"),
    ):
        with pytest.raises(ConfigError, match=told):
            there.cluster.rotate(*leaves, **options)
    assert marks(there) == before


def test_a_second_rotation_waits_for_the_first(there: Fleet) -> None:
    there.cluster.rotate("ca", until="trust")
    told = r"the rotation of ca is half done; go on with it \(kubo rotate\) or take it back \(kubo rotate --undo\)"
    with pytest.raises(UnsafePlan, match=told):
        there.cluster.rotate("etcd-ca")
    with pytest.raises(UnsafePlan, match=told):
        there.cluster.renew_certificates()
    assert there.cluster.rotate("ca") == ()


def test_a_store_that_cannot_rotate_authorities_can_still_rotate_keys(
    there: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = attrs.evolve(there.cloud.store.info(), rotates=False)
    monkeypatch.setattr(there.cloud.store, "info", lambda: info)
    with pytest.raises(ConfigError, match="cannot rotate authorities"):
        there.cluster.rotate("ca")
    assert there.cluster.rotate(SERVICE_ACCOUNT, ENCRYPTION_KEY, settle_seconds=0) == ()


def test_all_certificates_are_made_anew_with_the_same_authorities(there: Fleet) -> None:
    cluster, watch = watched(there)
    store, spec = there.cloud.store, there.spec
    before = {leaf: store.get(spec.id.credential(leaf)).value for leaf in ("ca", "admin", "apiserver-master-0")}
    cluster.renew_certificates()
    check_ended(there, watch)
    after = {leaf: store.get(spec.id.credential(leaf)).value for leaf in before}
    assert after["ca"] == before["ca"]
    assert after["admin"] != before["admin"]
    assert after["apiserver-master-0"] != before["apiserver-master-0"]


KINDS: tuple[Callable[[FakeCloud, int], None], ...] = (
    lambda cloud, call: cloud.faults.kill(call=call),
    lambda cloud, call: cloud.faults.kill(call=call, after=True),
    lambda cloud, call: cloud.faults.lose_answer(call=call),
    lambda cloud, call: cloud.faults.fail(call=call),
)


def cut_off(there: Fleet, call: int, act: Act) -> bool:
    """Do it with a fault at that call; whether there was such a call."""
    faults = there.cloud.faults
    already = faults.calls
    KINDS[call % len(KINDS)](there.cloud, call)
    with suppress(DirectorKilled, KuboError):
        act(there.cluster)
    met = faults.calls - already >= call
    faults.clear()
    return met


@pytest.mark.parametrize("start", [1, 4, 7, 10])
def test_a_rotation_that_is_cut_off_at_any_call_goes_on(there: Fleet, start: int) -> None:
    """Each time the calls up to the next fault are more, so that all stages are cut off at many places."""
    _, watch = watched(there)
    before, call = marks(there), start
    while cut_off(there, call, lambda found: found.rotate(*ROTATABLE, settle_seconds=0)):
        call += 13
        watch.look(f"cut off at call {call}")
    check_ended(there, watch)
    assert all(marks(there)[leaf] != before[leaf] for leaf in ROTATABLE)


@pytest.mark.parametrize("call", range(5, 120, 16))
def test_a_rotation_that_is_cut_off_at_any_call_is_taken_back(there: Fleet, call: int) -> None:
    cluster, watch = watched(there)
    before = marks(there)
    cut_off(there, call, lambda found: found.rotate(*ROTATABLE, settle_seconds=0))
    watch.look("cut off")
    with suppress(ConfigError):
        cluster.rotate(undo=True, settle_seconds=0)
    check_ended(there, watch)
    assert marks(there) == before or all(marks(there)[leaf] != before[leaf] for leaf in ROTATABLE)
