"""What the journal of a leading master says of routes."""

from __future__ import annotations

from kubo_sdk_cfrouting.agent.routes_journal import NAMED, Journal, Led


def test_a_journal_says_what_is_new_what_changed_and_what_is_gone_and_nothing_twice() -> None:
    said: list[str] = []
    journal = Journal(said.append)
    shop = Led("port 9000", "default/shop", "10.0.16.1:30080")
    journal.note([shop, Led("x.apps.test", "default/x", "10.0.16.1:30081")])
    assert said == [
        "port 9000 leads to default/shop at 10.0.16.1:30080",
        "x.apps.test leads to default/x at 10.0.16.1:30081",
    ]
    said.clear()
    second = shop._replace(backend="10.0.16.2:30080")
    for _ in range(2):
        journal.note([second, shop, shop])
    assert said == [
        "x.apps.test leads to default/x no longer",
        "port 9000 leads to default/shop at 10.0.16.1:30080, 10.0.16.2:30080",
    ]


def test_another_owner_of_a_port_is_a_change() -> None:
    said: list[str] = []
    journal = Journal(said.append)
    for service in ("default/a", "default/b"):
        journal.note([Led("port 9000", service, "10.0.16.1:30080")])
    assert said[1] == "port 9000 leads to default/b at 10.0.16.1:30080"


def test_who_led_before_and_leads_again_tells_everything_anew() -> None:
    said: list[str] = []
    journal = Journal(said.append)
    for _ in range(2):
        journal.note([Led("port 9000", "default/a", "10.0.16.1:30080")])
        journal.forget()
    assert len(said) == 2


def test_a_line_names_some_of_many_backends() -> None:
    said: list[str] = []
    Journal(said.append).note([Led("port 9000", "default/a", f"10.0.16.{each}:80") for each in range(NAMED + 3)])
    assert said[0].endswith(" and 3 more")
    assert said[0].count(":80") == NAMED
