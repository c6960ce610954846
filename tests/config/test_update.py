"""The section update: its defaults, how a percentage is written, and the numbers with which nothing would change."""

from __future__ import annotations

from typing import Any

import pytest

from kubo_sdk.config.load import from_mapping
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import InFlight, UpdatePolicy, UpdateSpec

WHOLE = {"name": "demo", "kubernetes": {"version": "1.20.2"}}


def problems(**update: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        from_mapping({**WHOLE, "update": update})
    return list(caught.value.problems)


def test_what_is_not_written_has_its_default() -> None:
    assert from_mapping(WHOLE).update == UpdateSpec()
    spec = from_mapping({**WHOLE, "update": {"max_in_flight": "50%", "policy": "replace", "canaries": 0}})
    wished = UpdateSpec(max_in_flight=InFlight(number=50, percent=True), policy=UpdatePolicy.REPLACE, canaries=0)
    assert spec.update == wished


@pytest.mark.parametrize(("written", "instances", "most"), [(2, 3, 2), ("34%", 3, 1), ("100%", 3, 3), ("25 %", 9, 2)])
def test_a_percentage_is_of_the_group_and_rounded_down(written: Any, instances: int, most: int) -> None:
    groups = [{"name": "etcd"}, {"name": "master"}, {"name": "worker", "instances": instances}, {"name": "proxy"}]
    spec = from_mapping({**WHOLE, "instance_groups": groups, "update": {"max_in_flight": written}})
    assert spec.update.max_in_flight.of(instances) == most


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        (
            {"max_in_flight": "33%"},
            (
                "update.max_in_flight is 33%, which of the 3 instances of group worker is nobody; "
                "write 34% or more, or a number"
            ),
        ),
        ({"max_in_flight": "0%"}, "update.max_in_flight must be a percentage from 1% to 100%, not 0%"),
        ({"max_in_flight": "101%"}, "update.max_in_flight must be a percentage from 1% to 100%, not 101%"),
        ({"max_in_flight": 0}, "update.max_in_flight must be at least 1, not 0"),
        (
            {"max_in_flight": "all"},
            "update.max_in_flight must be a whole number such as 2 or a percentage such as 25%, not 'all'",
        ),
        (
            {"max_in_flight": 0.5},
            "update.max_in_flight must be a whole number such as 2 or a percentage such as 25%, not 0.5",
        ),
        (
            {"canaries": -1},
            "update.canaries must not be negative, and is -1; 0 changes no instance before the others",
        ),
        ({"policy": "never"}, "update.policy must be one of as_needed, in_place_only, replace, not 'never'"),
        ({"watch_seconds": 0}, "update.watch_seconds must be more than 0 and at most 86400 seconds, not 0"),
    ],
)
def test_what_cannot_work_is_one_sentence(update: dict[str, Any], sentence: str) -> None:
    assert problems(**update) == [sentence]
