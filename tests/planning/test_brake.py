"""The meltdown brake: when repairs are held, and when they are not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import MeltdownSpec
from kubo_sdk.planning.brake import Failure, counted, threshold, why_held

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT = MeltdownSpec()


def machines(count: int, azs: int = 1) -> tuple[Instance, ...]:
    return tuple(
        Instance(group="worker", index=index, role=Role.WORKER, az=f"z{index % azs}") for index in range(count)
    )


def failing(instances: Collection[Instance], *, since: datetime = NOW, spent: bool = False) -> tuple[Failure, ...]:
    return tuple(Failure(instance=each.id, since=since, spent=spent) for each in instances)


def is_held(down: Collection[Instance], everybody: Collection[Instance], meltdown: MeltdownSpec = DEFAULT) -> bool:
    return bool(why_held(failing(down), everybody, meltdown, NOW))


@pytest.mark.parametrize(("size", "least"), [(3, 2), (4, 3), (5, 3), (8, 5), (9, 5), (26, 5), (1000, 5)])
def test_the_count_is_five_or_more_than_half_of_a_small_cluster(size: int, least: int) -> None:
    assert threshold(DEFAULT, size) == least
    assert threshold(MeltdownSpec(count=7), size) == 7


@pytest.mark.parametrize(("size", "down"), [(9, 5), (25, 5), (26, 6), (1000, 200)])
def test_in_one_az_both_the_count_and_the_share_must_be_reached(size: int, down: int) -> None:
    everybody = machines(size)
    assert is_held(everybody[:down], everybody)
    assert not is_held(everybody[: down - 1], everybody)


@pytest.mark.parametrize(("size", "azs"), [(9, 3), (9, 2), (4, 2), (1000, 3), (1000, 2), (30, 5)])
def test_one_whole_az_is_never_held(size: int, azs: int) -> None:
    everybody = machines(size, azs)
    for az in range(azs):
        assert not is_held([each for each in everybody if each.az == f"z{az}"], everybody)


def test_a_lost_az_and_a_few_others_are_not_held_either() -> None:
    everybody = machines(1000, 3)
    lost = [each for each in everybody if each.az == "z0"]
    assert not is_held([*lost, everybody[1], everybody[2]], everybody)


def test_failures_everywhere_are_held_however_many_azs_there_are() -> None:
    everybody = machines(1000, 3)
    assert is_held(everybody[:210], everybody)
    assert is_held(machines(9, 3), machines(9, 3))


@given(st.integers(1, 60), st.integers(1, 4), st.data())
def test_a_repaired_machine_stops_counting(size: int, azs: int, data: st.DataObject) -> None:
    everybody = machines(size, azs)
    down = data.draw(st.lists(st.sampled_from(everybody), unique=True))
    if down and is_held(down, everybody):
        repaired = list(down)
        while is_held(repaired, everybody):
            repaired.pop()
        assert len(repaired) < threshold(DEFAULT, size) or len(repaired) * 100 < size * DEFAULT.share or azs > 1


@given(st.integers(1, 60), st.integers(1, 100), st.data())
def test_in_one_az_it_holds_exactly_at_count_and_share(size: int, share: int, data: st.DataObject) -> None:
    everybody = machines(size)
    down = data.draw(st.integers(0, size))
    count = data.draw(st.integers(1, size))
    held = is_held(everybody[:down], everybody, MeltdownSpec(count=count, share=share))
    assert held == (down >= count and down / size >= share / 100)


def test_what_was_given_up_long_ago_does_not_count_and_what_waits_does() -> None:
    everybody = machines(9)
    long_ago = NOW - timedelta(seconds=DEFAULT.window_seconds + 1)
    assert not counted(failing(everybody[:5], since=long_ago, spent=True), DEFAULT, NOW)
    assert len(counted(failing(everybody[:5], since=long_ago), DEFAULT, NOW)) == 5
    assert len(counted(failing(everybody[:5], spent=True), DEFAULT, NOW)) == 5


def test_it_says_how_many_are_down_and_what_to_do() -> None:
    everybody = machines(9)
    assert why_held(failing(everybody[:6]), everybody, DEFAULT, NOW) == (
        "6 of 9 machines are down at once, which is a meltdown (5 machines and 20 %): look for the common cause, "
        "then raise health.meltdown or repair by hand with kubo check --auto"
    )
