"""Config classes of providers, built from options."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from attrs import Attribute, field, frozen, validators
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.config import structure
from kubo_sdk.config.document import parse_document
from kubo_sdk.errors import PluginError

if TYPE_CHECKING:
    from decimal import Decimal


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


@frozen(kw_only=True)
class Account:
    user: str
    port: int = field(default=22, validator=validators.in_(range(1, 65536)))


@frozen(kw_only=True)
class Config:
    contract: ClassVar[int] = 1

    region: str
    count: int = 1
    ratio: float = 0.5
    dry: bool = False
    directory: Path = Path("/var")
    subnet: IPv4Network = IPv4Network("10.0.0.0/24")
    gateway: IPv4Address | None = None
    zones: tuple[str, ...] = ()
    span: tuple[int, int] = (1, 2)
    tags: Mapping[str, str] = field(factory=dict)
    raw: Mapping[str, Any] = field(factory=dict)
    size: Size = Size.SMALL
    account: Account | None = None
    accounts: tuple[Account, ...] = ()
    _secret: str = "x"
    computed: int = field(init=False, default=3)


def test_every_type_is_read_from_its_plain_form() -> None:
    options = {
        "region": "eu",
        "count": 2,
        "ratio": 1,
        "dry": True,
        "directory": "/srv",
        "subnet": "10.1.0.0/16",
        "gateway": "10.1.0.1",
        "zones": ["a", "b"],
        "span": [3, 4],
        "tags": {"a": "b"},
        "raw": {"a": [1, {"b": 2}]},
        "size": "large",
        "account": {"user": "root"},
        "accounts": [{"user": "a", "port": 1}, {"user": "b"}],
        "secret": "y",
    }
    value, problems = structure(Config, options, "cpi")
    assert problems == ()
    assert value == Config(
        region="eu",
        count=2,
        ratio=1.0,
        dry=True,
        directory=Path("/srv"),
        subnet=IPv4Network("10.1.0.0/16"),
        gateway=IPv4Address("10.1.0.1"),
        zones=("a", "b"),
        span=(3, 4),
        tags={"a": "b"},
        raw={"a": [1, {"b": 2}]},
        size=Size.LARGE,
        account=Account(user="root"),
        accounts=(Account(user="a", port=1), Account(user="b")),
        secret="y",
    )
    assert isinstance(value, Config)
    assert isinstance(value.ratio, float)


def test_defaults_and_none_are_left_to_the_class() -> None:
    assert structure(Config, {"region": "eu", "gateway": None}, "cpi") == (Config(region="eu"), ())


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({}, "cpi.region is missing; it must be a text"),
    "number": ({"count": "2"}, "cpi.count must be a whole number, not '2'"),
    "fraction": ({"count": 2.5}, "cpi.count must be a whole number, not 2.5"),
    "bool as number": ({"ratio": True}, "cpi.ratio must be a number, not True"),
    "path": ({"directory": 1}, "cpi.directory must be a path, not 1"),
    "address": ({"gateway": "10.1"}, "cpi.gateway must be an IPv4 address such as 10.0.0.1, not '10.1'"),
    "network as a number": (
        {"subnet": 167772160},
        "cpi.subnet must be an IPv4 network such as 10.200.0.0/16, not 167772160",
    ),
    "list item": ({"zones": ["a", 1]}, "cpi.zones[1] must be a text, not 1"),
    "pair": ({"span": [1, 2, 3]}, "cpi.span must have 2 items, not 3"),
    "mapping": ({"tags": ["a"]}, "cpi.tags must be a mapping, not a list"),
    "mapping value": ({"tags": {"a": 1}}, "cpi.tags.a must be a text, not 1"),
    "enum": ({"size": "huge"}, "cpi.size must be one of small, large, not 'huge'"),
    "enum of a list": ({"size": []}, "cpi.size must be one of small, large, not a list"),
    "nested class": ({"account": "root"}, "cpi.account must be a mapping with user, not 'root'"),
    "nested missing": ({"accounts": [{"user": "a"}, {}]}, "cpi.accounts[1].user is missing; it must be a text"),
    "validator": (
        {"account": {"user": "a", "port": 0}},
        "cpi.account.port is wrong: 'port' must be in range(1, 65536) (got 0)",
    ),
    "field that is no option": (
        {"computed": 4},
        (
            "cpi.computed is not known, did you mean 'count'? known here: account, accounts, count, directory, dry, "
            "gateway, ratio, raw, region, secret, size, span, subnet, tags, zones"
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_option_gets_one_clear_sentence(case: str) -> None:
    options, sentence = CASES[case]
    given_options = options if case == "missing" else {"region": "eu", **options}
    assert structure(Config, given_options, "cpi") == (None, (sentence,))


def test_options_from_a_file_keep_their_lines() -> None:
    document, _ = parse_document("cpi:\n  provider: x\n  region: 5\n  accounts:\n    - {usr: a}\n", "c.yml")
    value, problems = structure(Config, document["cpi"], "cpi")
    assert value is None
    assert [problem.split(" ")[0:2] for problem in problems] == [
        ["c.yml:2:", "cpi.provider"],
        ["c.yml:3:", "cpi.region"],
        ["c.yml:5:", "cpi.accounts[0].usr"],
        ["c.yml:5:", "cpi.accounts[0].user"],
    ]


@frozen(kw_only=True)
class Validated:
    low: int = field(validator=validators.ge(0))
    high: int = field()
    word: str = "a"

    @high.validator
    def _above(self, attribute: Attribute[int], value: int) -> None:
        if value <= self.low:
            raise ValueError(f"it must be above low, {self.low}")

    def __attrs_post_init__(self) -> None:
        if self.word == "magic":
            raise ValueError("magic is not for sale")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"low": -1, "high": -2}, ["low is wrong: 'low' must be >= 0: -1", "high is wrong: it must be above low, -1"]),
        ({"low": "x", "high": 1}, ["low must be a whole number, not 'x'"]),
        ({"low": 1, "high": "x", "word": 2}, ["high must be a whole number, not 'x'", "word must be a text, not 2"]),
        ({"low": -1, "high": "x"}, ["high must be a whole number, not 'x'", "low is wrong: 'low' must be >= 0: -1"]),
        ({"low": 0, "high": 1, "word": "magic"}, ["the spec is wrong: magic is not for sale"]),
    ],
)
def test_what_a_class_itself_refuses_becomes_a_problem(options: dict[str, Any], expected: list[str]) -> None:
    assert structure(Validated, options) == (None, tuple(expected))


def test_a_config_with_a_type_no_option_can_have_is_the_plugins_fault() -> None:
    @frozen
    class Odd:
        when: set[int]

    with pytest.raises(PluginError, match=r"Odd\.when has the type set\[int\], which no option can have"):
        structure(Odd, {}, "cpi")


def test_a_config_whose_types_cannot_be_resolved_is_the_plugins_fault() -> None:
    @frozen
    class Lost:
        price: Decimal

    with pytest.raises(PluginError, match=r"the types of .*Lost cannot be read: name 'Decimal' is not defined"):
        structure(Lost, {}, "cpi")


_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(["region", "count", "subnet", "zones", "span", "tags", "size", "account", "accounts"])


@given(st.dictionaries(_names | st.text(), _plain, max_size=5))
def test_any_plain_options_give_a_value_or_problems_and_never_an_exception(options: dict[str, Any]) -> None:
    value, problems = structure(Config, options, "cpi")
    assert (value is None) == bool(problems)
    assert all(problem.startswith("cpi") for problem in problems)
