"""The section health: its defaults, and the numbers no brake can work with."""

from __future__ import annotations

from typing import Any

import pytest

from kubo_sdk.config.load import from_mapping
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import HealthSpec, MeltdownSpec

WHOLE = {"name": "demo", "kubernetes": {"version": "1.20.2"}}


def problems(**health: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        from_mapping({**WHOLE, "health": health})
    return list(caught.value.problems)


def test_what_is_not_written_has_its_default() -> None:
    assert from_mapping(WHOLE).health == HealthSpec()
    spec = from_mapping({**WHOLE, "health": {"attempts": 2, "meltdown": {"count": 3}}})
    assert spec.health == HealthSpec(attempts=2, meltdown=MeltdownSpec(count=3))


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        ({"probe_seconds": 0}, "health.probe_seconds must be between 0.1 and 86400 seconds, not 0"),
        ({"unhealthy_after_seconds": -1}, "health.unhealthy_after_seconds must be between 0 and 86400 seconds, not -1"),
        ({"silent_after_seconds": 1e9}, "health.silent_after_seconds must be between 0 and 86400 seconds, not 1e+09"),
        ({"startup_seconds": float("nan")}, "health.startup_seconds must be between 0 and 86400 seconds, not nan"),
        ({"window_seconds": 0}, "health.window_seconds must be between 1 and 86400 seconds, not 0"),
        (
            {"attempts": 0},
            "health.attempts must be at least 1, not 0; to repair nothing, set health.enabled to false",
        ),
        (
            {"meltdown": {"count": -1}},
            "health.meltdown.count must not be negative, and is -1; 0 chooses by the size of the cluster",
        ),
        ({"meltdown": {"share": 0}}, "health.meltdown.share must be a percentage from 1 to 100, not 0"),
        ({"meltdown": {"share": 101}}, "health.meltdown.share must be a percentage from 1 to 100, not 101"),
        ({"enabled": "no"}, "health.enabled must be true or false, not 'no'"),
    ],
)
def test_a_number_that_cannot_work_is_one_sentence(health: dict[str, Any], sentence: str) -> None:
    assert problems(**health) == [sentence]


def test_a_wrong_type_hides_no_other_problem() -> None:
    assert len(problems(probe_seconds="often", attempts=0, meltdown={"share": 0})) == 3
