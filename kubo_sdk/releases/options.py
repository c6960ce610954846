"""Reading the options of a release source out of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import fields

from kubo_sdk.errors import ConfigError

T = TypeVar("T")


def read_options(kind: type[T], source: str, options: Mapping[str, Any]) -> T:
    """Build *kind*, an attrs class of texts and tuples of texts; ConfigError holds every problem at once."""
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    problems: list[str] = []
    values: dict[str, object] = {}
    for name, value in options.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            problems.append(f"the release source {source!r} has no option {name!r}; {has}")
            continue
        wants_many = str(known[name].type).startswith("tuple")
        if wants_many and isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            values[name] = tuple(value)
        elif not wants_many and isinstance(value, str):
            values[name] = value
        else:
            wanted = "a list of texts" if wants_many else "a text"
            problems.append(f"the option {name!r} of the release source {source!r} must be {wanted}, not {value!r}")
    if problems:
        raise ConfigError(problems)
    return kind(**values)
