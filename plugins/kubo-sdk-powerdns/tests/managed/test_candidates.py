"""Who of the candidates is the API: a pure choice."""

from __future__ import annotations

from kubo_sdk_powerdns.managed.agent.candidates import choose

TIERS = (("p0", "p1"), ("m0", "m1"))


def chosen(**ready: bool | None) -> set[str]:
    return set(choose(TIERS, ready))


def test_the_ready_ones_of_the_first_tier() -> None:
    assert chosen(p0=True, p1=False, m0=True) == {"p0"}
    assert chosen(p0=True, p1=True) == {"p0", "p1"}


def test_the_next_tier_when_nobody_of_the_first_is_ready() -> None:
    assert chosen(p0=False, p1=False, m0=False, m1=True) == {"m1"}


def test_all_of_the_first_tier_when_nobody_is_ready_at_all() -> None:
    assert chosen(p0=False, p1=False, m0=False, m1=False) == {"p0", "p1"}


def test_nobody_while_somebody_who_counts_was_not_asked_yet() -> None:
    assert chosen() == set()
    assert chosen(p0=True, p1=None) == set()
    assert chosen(p0=False, p1=None, m0=True, m1=True) == set()
    assert chosen(p0=False, p1=False, m0=True, m1=None) == set()
