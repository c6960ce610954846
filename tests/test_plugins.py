"""Plugins are found, picked by name, kept apart when broken, and refused when they clash."""

from __future__ import annotations

import logging
import sys
import threading
import types
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import frozen

from kubo_sdk.errors import ConfigError, PluginError
from kubo_sdk.events import Event, PlanMade
from kubo_sdk.hookspecs import Objection, hookimpl
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.plan import Plan
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.providers import CpiProvider, DnsProvider

Install = Callable[..., str]

ID = ClusterId(director="kubo", name="demo")
SPEC = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion(1, 20, 2)))
PLAN = Plan(cluster=ID, operation="deploy")
EVENT = PlanMade(cluster=ID, at=datetime(2024, 1, 1, tzinfo=UTC), operation="deploy", steps=3)

OFFER = """
from attrs import field, frozen
from kubo_sdk import hookimpl
from kubo_sdk.ports.providers import {record}

@frozen(kw_only=True)
class Config:
    url: str
    port: int = 53

@hookimpl
def {hook}():
    return [{record}(name={name!r}, summary="a test", config=Config, connect=lambda config, context: None)]
"""


def offer(name: str, *, record: str = "DnsProvider", hook: str = "kubo_dns_providers") -> str:
    return OFFER.format(name=name, record=record, hook=hook)


def found(*distributions: str, deny: tuple[str, ...] = ()) -> Plugins:
    return Plugins(allow=distributions, deny=deny)


def test_an_installed_plugin_is_picked_by_the_name_of_its_provider(install: Install) -> None:
    plugins = found(install("fake-powerdns", "pdns", offer("powerdns")))
    assert plugins.dns("powerdns").summary == "a test"
    assert isinstance(plugins.dns("powerdns"), DnsProvider)


def test_the_built_in_providers_come_through_the_same_door() -> None:
    rows = Plugins(load_installed=False).describe()
    assert {row["plugin"] for row in rows} == {"builtin"}
    assert {row["distribution"] for row in rows} == {"kubo-sdk"}
    assert Plugins(load_installed=False, deny=["builtin"]).describe()[0]["status"] == "left out"


def test_an_unknown_name_is_answered_with_what_is_installed(install: Install) -> None:
    plugins = found(
        install("fake-a", "a", offer("powerdns")), install("fake-b", "b", offer("route53")), deny=("builtin",)
    )
    with pytest.raises(ConfigError) as caught:
        plugins.dns("powerdsn")
    told = "dns: there is no DNS provider 'powerdsn', did you mean 'powerdns'? installed: powerdns, route53"
    assert caught.value.problems[0].startswith(told)


def test_a_port_nobody_fills_says_so(install: Install) -> None:
    plugins = found(install("fake-a", "a", offer("powerdns")), deny=("builtin",))
    with pytest.raises(ConfigError, match=r"there is no CPI 'x'; installed: none, install a plugin that offers one"):
        plugins.cpi("x")


BROKEN = {
    "import": ("import a_module_that_is_not_there", "it cannot be imported: ModuleNotFoundError: No module named"),
    "syntax": ("def (", "it cannot be imported: SyntaxError"),
    "exit": ("raise SystemExit(3)", "it cannot be imported: SystemExit: 3"),
    "misspelt hook": (
        offer("x", hook="kubo_dns_provider"),
        "'kubo_dns_provider' is no hook, did you mean 'kubo_dns_providers'? hooks are: kubo_cluster_dns_providers, ",
    ),
    "unmarked hook": (
        "def kubo_dns_providers():\n    return []",
        "its hook 'kubo_dns_providers' is not marked; put @hookimpl on it",
    ),
    "wrong argument": (
        "from kubo_sdk import hookimpl\n@hookimpl\ndef kubo_on_event(evnt):\n    pass",
        "its hooks do not fit: Plugin 'bad' for hook 'kubo_on_event'",
    ),
    "wrong type": (
        "from kubo_sdk import hookimpl\n@hookimpl\ndef kubo_dns_providers():\n    return ['x']",
        "its hook 'kubo_dns_providers' offers a str where a DnsProvider belongs",
    ),
    "record of another port": (
        offer("x", record="CpiProvider"),
        "its hook 'kubo_dns_providers' offers a CpiProvider where a DnsProvider belongs",
    ),
    "no list": (
        "from kubo_sdk import hookimpl\n@hookimpl\ndef kubo_dns_providers():\n    return 5",
        "its hook 'kubo_dns_providers' failed: TypeError: 'int' object is not iterable",
    ),
    "hook that raises": (
        "from kubo_sdk import hookimpl\n@hookimpl\ndef kubo_dns_providers():\n    raise ValueError('two\\nlines')",
        "its hook 'kubo_dns_providers' failed: ValueError: two",
    ),
    "name": (
        offer("Power DNS"),
        "its hook 'kubo_dns_providers' offers a provider called 'Power DNS'; a name is small letters, digits",
    ),
    "one name twice": (
        offer("x").replace("return [", "return 2 * ["),
        "it offers the DNS provider 'x' twice",
    ),
    "summary": (
        offer("x").replace('"a test"', '"two\\nlines"'),
        "the summary of its provider 'x' is not one line of text",
    ),
    "contract": (
        offer("x").replace("config=Config", "config=Config, contract=2"),
        "its provider 'x' keeps contract 2 and this core speaks 1; install releases of both that fit together",
    ),
    "capability": (
        offer("x").replace("config=Config", "config=Config, capabilities=('publish',)"),
        "its provider 'x' names the capability 'publish', which there is not, did you mean 'publishes'? there are: pub",
    ),
    "capabilities that are a text": (
        offer("x").replace("config=Config", "config=Config, capabilities='publishes'"),
        "the capabilities of its provider 'x' are no tuple of words",
    ),
    "record that cannot be made": (
        offer("x").replace("config=Config", "confg=Config"),
        "its hook 'kubo_dns_providers' failed: TypeError: Provider.__init__() got an unexpected keyword",
    ),
    "config": (
        offer("x").replace("config=Config", "config=dict"),
        "the config of its provider 'x' is no attrs class",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_loses_itself_only(case: str, install: Install, caplog: pytest.LogCaptureFixture) -> None:
    source, reason = BROKEN[case]
    plugins = found(
        install("fake-bad", "bad", source, version="0.3"),
        install("fake-good", "good", offer("good")),
        deny=("builtin",),
    )
    with caplog.at_level(logging.WARNING):
        assert plugins.dns("good").name == "good"
    (broken,) = plugins.broken
    assert (broken.name, broken.distribution, broken.version) == ("bad", "fake-bad", "0.3")
    assert broken.reason.startswith(reason)
    assert "\n" not in broken.reason
    assert "plugin bad of fake-bad 0.3 is broken: " + reason in caplog.text


def test_one_object_under_two_names_is_broken_under_the_second(install: Install) -> None:
    install("fake-one", "one", offer("alpha"))
    install("fake-two", "two", "import sys, fake_one\nsys.modules[__name__] = fake_one")
    (broken,) = found("fake-one", "fake-two").broken
    assert (broken.name, broken.reason) == ("two", "it is the same object as the plugin 'one'")


def test_a_broken_plugin_becomes_an_error_when_its_name_is_asked_for(install: Install) -> None:
    plugins = found(install("fake-bad", "bad", "raise RuntimeError('no way')"), deny=("builtin",))
    with pytest.raises(PluginError) as caught:
        plugins.cpi("bad")
    assert str(caught.value) == (
        "the CPI 'bad' cannot be used: plugin 'bad' of fake-bad 1.0: it cannot be imported: RuntimeError: no way; "
        "repair or reinstall it"
    )
    with pytest.raises(ConfigError, match=r"broken: plugin 'bad' of fake-bad 1.0: it cannot be imported"):
        plugins.cpi("other")


def test_two_plugins_of_one_name_are_refused_with_both_distributions(install: Install) -> None:
    first = install("fake-one", "same", offer("one"))
    plugins = found(first, install("fake-two", "same", offer("two"), version="2.0"))
    with pytest.raises(PluginError) as caught:
        plugins.dns("one")
    assert str(caught.value) == (
        "the plugin name 'same' is claimed by fake-one 1.0 and fake-two 2.0; "
        "uninstall one, or name one of them in KUBO_DISABLE_PLUGINS"
    )
    assert found("fake-one", "fake-two", deny=("fake-two",)).dns("one").name == "one"


def test_two_providers_of_one_name_are_refused_with_both_distributions(install: Install) -> None:
    plugins = found(
        install("fake-one", "one", offer("powerdns")), install("fake-two", "two", offer("powerdns"), version="2.0")
    )
    with pytest.raises(PluginError) as caught:
        plugins.cpi("local")
    assert str(caught.value) == (
        "the DNS provider 'powerdns' is claimed by fake-one 1.0 and fake-two 2.0; "
        "uninstall one, or name one of them in KUBO_DISABLE_PLUGINS"
    )
    assert [row["status"] for row in plugins.describe() if row["reason"] == plugins.clashes[0]] == ["clash"]


def test_the_environment_allows_and_disables_plugins(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("fake-one", "one", offer("alpha"))
    install("fake-two", "two", offer("beta"))
    monkeypatch.setenv("KUBO_PLUGINS", "one, two")
    assert [Plugins().dns(name).name for name in ("alpha", "beta")] == ["alpha", "beta"]
    monkeypatch.setenv("KUBO_DISABLE_PLUGINS", "fake-two")
    with pytest.raises(ConfigError, match=r"left out on request: .*two"):
        Plugins().dns("beta")
    monkeypatch.setenv("KUBO_PLUGINS", "two")
    with pytest.raises(ConfigError, match="there is no DNS provider 'alpha'"):
        Plugins().dns("alpha")


def test_a_disabled_plugin_is_not_even_imported(install: Install) -> None:
    found(install("fake-one", "one", offer("alpha")), deny=("one",)).describe()
    assert "fake_one" not in sys.modules


def test_nothing_is_imported_before_the_first_use(install: Install) -> None:
    plugins = found(install("fake-one", "one", offer("alpha")))
    assert "fake_one" not in sys.modules
    plugins.dns("alpha")
    assert "fake_one" in sys.modules


@frozen
class Observer:
    heard: list[Event]

    @hookimpl
    def kubo_on_event(self, event: Event) -> None:
        self.heard.append(event)


class Raising:
    @hookimpl
    def kubo_on_event(self, event: Event) -> None:
        raise RuntimeError("observer trouble")


class Silent:
    @hookimpl
    def kubo_on_event(self) -> None:
        """An implementation may take fewer arguments than the hook has."""


def test_an_observer_that_raises_is_logged_and_starves_nobody(caplog: pytest.LogCaptureFixture) -> None:
    one, two = Observer([]), Observer([])
    plugins = Plugins(one, Raising(), Silent(), two, load_installed=False)
    plugins.emit(EVENT)
    assert one.heard == two.heard == [EVENT]
    assert "plugin Raising failed on PlanMade of cluster kubo/demo" in caplog.text


def test_many_threads_may_emit_through_plugins_that_nobody_loaded_yet() -> None:
    observer = Observer([])
    plugins = Plugins(observer, load_installed=False)
    threads = [threading.Thread(target=lambda: plugins.emit(EVENT)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert observer.heard == [EVENT] * 16


def reviewer(answer: Callable[[], Any]) -> object:
    class Reviewer:
        @hookimpl
        def kubo_review_plan(self, plan: Plan, spec: ClusterSpec) -> Any:
            assert (plan, spec) == (PLAN, SPEC)
            return answer()

    return Reviewer()


def test_every_reviewer_may_object() -> None:
    plugins = Plugins(
        reviewer(lambda: [Objection(reason="not on fridays")]),
        reviewer(list),
        reviewer(lambda: (Objection(reason="too many"), Objection(reason="too few"))),
        load_installed=False,
    )
    assert [each.reason for each in plugins.review(PLAN, SPEC)] == ["not on fridays", "too many", "too few"]


def test_a_reviewer_that_fails_objects() -> None:
    def fail() -> None:
        raise ValueError("no idea")

    plugins = Plugins(reviewer(fail), reviewer(lambda: ["a text"]), load_installed=False)
    assert [each.reason for each in plugins.review(PLAN, SPEC)] == [
        "plugin 'Reviewer' failed to review: ValueError: no idea",
        "plugin 'Reviewer#2' reviewed the plan with a str where an Objection belongs",
    ]


def test_a_broken_plugin_that_was_handed_over_is_an_error_at_once() -> None:
    class Misspelt:
        @hookimpl
        def kubo_on_evnt(self, event: Event) -> None:
            """Nobody would ever call this."""

    with pytest.raises(PluginError, match="'Misspelt' that was handed over is broken: 'kubo_on_evnt' is no hook"):
        Plugins(Misspelt(), load_installed=False).emit(EVENT)


def test_two_registries_in_one_process_do_not_touch() -> None:
    one, two = Observer([]), Observer([])
    first, second = Plugins(one, load_installed=False), Plugins(two, load_installed=False)
    first.emit(EVENT)
    second.review(PLAN, SPEC)
    assert (len(one.heard), len(two.heard)) == (1, 0)


def test_a_module_may_be_handed_over_like_an_object() -> None:
    @frozen(kw_only=True)
    class Config:
        size: int = 1

    @hookimpl
    def kubo_cpi_providers() -> list[CpiProvider]:
        return [CpiProvider(name="mine", summary="", config=Config, connect=lambda config, context: config)]

    module = types.ModuleType("a_script")
    module.kubo_cpi_providers = kubo_cpi_providers  # type: ignore[attr-defined]
    assert Plugins(module, load_installed=False).cpi("mine").config is Config


def test_describe_tells_the_options_of_every_provider(install: Install) -> None:
    distribution = install("fake-powerdns", "pdns", offer("nsd"), version="3.1")
    (row,) = [row for row in found(distribution).describe() if row["name"] == "nsd"]
    assert row == {
        "name": "nsd",
        "plugin": "pdns",
        "distribution": "fake-powerdns",
        "version": "3.1",
        "port": "dns",
        "summary": "a test",
        "contract": 1,
        "capabilities": [],
        "hooks": ["kubo_dns_providers"],
        "options": [
            {"name": "url", "type": "str", "required": True, "default": None},
            {"name": "port", "type": "int", "required": False, "default": 53},
        ],
        "status": "ok",
        "reason": "",
    }


def test_describe_tells_of_broken_plugins_and_of_those_without_providers(install: Install) -> None:
    distribution = install("fake-bad", "bad", "raise RuntimeError('no way')")
    rows = Plugins(Observer([]), allow=[distribution]).describe()
    status = {row["name"]: (row["status"], row["reason"]) for row in rows if row["plugin"] != "builtin"}
    assert status["bad"] == ("broken", "it cannot be imported: RuntimeError: no way")
    assert status["Observer"] == ("ok", "")
