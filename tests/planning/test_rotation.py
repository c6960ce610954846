"""What comes next in a rotation, by how things stand."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.errors import ConfigError, UnsafePlan
from kubo_sdk.planning.rotation import ROTATABLE, Stage, Standing, checked_leaves, next_stage, stage_named

OLD, NEW = "old", "new"

STANDINGS = st.lists(st.sampled_from(ROTATABLE), min_size=1, unique=True).flatmap(
    lambda leaves: st.tuples(
        *(st.builds(lambda used, both, leaf=leaf: standing(leaf, used, both), USED, BOTH) for leaf in leaves)
    )
)
USED, BOTH = st.sampled_from((OLD, NEW)), st.booleans()


def standing(leaf: str, used: str, both: bool) -> Standing:
    other = {OLD: NEW, NEW: OLD}[used] if both else ""
    return Standing(leaf=leaf, began=OLD, used=used, other=other)


def after(stage: Stage, leaves: tuple[str, ...], before: tuple[Standing, ...]) -> tuple[Standing, ...]:
    """What the credential store holds once the stage is done."""

    def done(each: Standing) -> Standing:
        if each.leaf not in leaves:
            return each
        if stage is Stage.TRUST:
            return attrs.evolve(each, other=NEW)
        return (
            attrs.evolve(each, other="")
            if stage is Stage.DROP
            else attrs.evolve(each, used=each.other, other=each.used)
        )

    return tuple(map(done, before))


@given(before=STANDINGS, undo=st.booleans())
def test_from_wherever_it_stands_a_rotation_comes_to_its_end(before: tuple[Standing, ...], undo: bool) -> None:
    stood, steps = before, 0
    while (following := next_stage(stood, undo=undo)) is not None:
        stage, leaves = following
        for each in stood:
            if each.leaf in leaves and stage is not Stage.TRUST:
                assert each.other, "only what is trusted already is switched to, and only what is there is dropped"
        stood, steps = after(stage, leaves, stood), steps + 1
        assert steps <= 6
    assert not any(each.other for each in stood)
    assert undo or all(each.used == NEW for each in stood)
    ended = {each.leaf for each in before if each.used == NEW and not each.other}
    assert not undo or {each.leaf for each in stood if each.used == NEW} == ended


@pytest.mark.parametrize(
    ("used", "both", "forward", "back"),
    [
        (OLD, False, Stage.TRUST, None),
        (OLD, True, Stage.SWITCH, Stage.DROP),
        (NEW, True, Stage.DROP, Stage.SWITCH),
        (NEW, False, None, None),
    ],
)
def test_each_standing_has_one_way_on_and_one_back(
    used: str, both: bool, forward: Stage | None, back: Stage | None
) -> None:
    stands = standing("ca", used, both)
    assert stands.next_stage(undo=False) is forward
    assert stands.next_stage(undo=True) is back


def test_what_is_asked_for_twice_is_rotated_once_and_in_one_order() -> None:
    told = checked_leaves(("service-account", "ca", "ca"), (), rotates=True, provider="file")
    assert told == ("ca", "service-account")


def test_the_same_again_goes_on_and_anything_else_is_refused() -> None:
    assert checked_leaves(("ca",), ("ca",), rotates=True, provider="file") == ("ca",)
    assert checked_leaves((), ("ca",), rotates=True, provider="file") == ("ca",)
    with pytest.raises(UnsafePlan, match="the rotation of ca is half done"):
        checked_leaves(("ca", "etcd-ca"), ("ca",), rotates=True, provider="file")


def test_a_stage_that_is_none_is_refused() -> None:
    assert stage_named("trust", undo=False) is Stage.TRUST
    assert stage_named(None, undo=True) is None
    for name, undo in (("drop", False), ("later", False), ("trust", True)):
        with pytest.raises(ConfigError):
            stage_named(name, undo=undo)
