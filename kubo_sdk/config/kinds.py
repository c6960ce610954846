"""The types an option may have: what each is called in a sentence, and how its plain value is read."""

from __future__ import annotations

import reprlib
import types
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, TypeGuard, Union, get_args, get_origin, get_type_hints

import attrs

from kubo_sdk.errors import PluginError
from kubo_sdk.model.version import KubernetesVersion

_PHRASES: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    IPv4Network: "an IPv4 network such as 10.200.0.0/16",
    IPv4Address: "an IPv4 address such as 10.0.0.1",
    KubernetesVersion: "a Kubernetes version such as 1.20.2",
}
_FROM_TEXT: tuple[Any, ...] = (Path, IPv4Network, IPv4Address)


def phrase(kind: Any) -> str:
    """What a *kind* is called in a sentence."""
    if is_optional(kind):
        return phrase(without_none(kind))
    if get_origin(kind) is tuple:
        return "a list"
    if is_enum(kind):
        return "one of " + ", ".join(str(member.value) for member in kind)
    if attrs.has(kind) and kind not in _PHRASES:
        required = [field.name for field in attrs.fields(kind) if field.init and field.default is attrs.NOTHING]
        return f"a mapping with {', '.join(required)}" if required else "a mapping"
    return _PHRASES.get(kind, "a mapping")


def shown(value: Any) -> str:
    """*value* as a problem shows it: short."""
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else reprlib.repr(value)


def choices(wrong: str, known: Iterable[str]) -> str:
    """The end of a sentence about a *wrong* name: the nearest known one, then all of them."""
    names = sorted(known)
    near = get_close_matches(wrong, names, n=1)
    listed = f"known here: {', '.join(names)}" if names else "nothing may stand here"
    return f", did you mean {near[0]!r}? {listed}" if near else f"; {listed}"


def scalar(kind: Any, value: Any) -> Any:
    """*value* as the single-valued *kind*; ValueError where it is none.  A bool is no number, a number no text."""
    if is_enum(kind):
        return kind(value)
    if kind in _FROM_TEXT and isinstance(value, str):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise ValueError(value)


def is_enum(kind: Any) -> TypeGuard[type[Enum]]:
    """Whether *kind* is an enumeration."""
    return isinstance(kind, type) and issubclass(kind, Enum)


def is_mapping(kind: Any) -> bool:
    """Whether *kind* is ``Mapping[str, X]`` or ``dict[str, X]``."""
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_optional(kind: Any) -> bool:
    """Whether *kind* is ``X | None``."""
    union = get_origin(kind) in (Union, types.UnionType)
    return union and len(get_args(kind)) == 2 and types.NoneType in get_args(kind)


def without_none(kind: Any) -> Any:
    """The X of ``X | None``."""
    return next(part for part in get_args(kind) if part is not types.NoneType)


def hints_of(cls: type) -> Mapping[str, Any]:
    """The type of each field of an attrs class; PluginError where options cannot have one of them."""
    try:
        hints = get_type_hints(cls)
    except NameError as error:
        raise PluginError(f"the types of {cls.__module__}.{cls.__name__} cannot be read: {error}") from error
    fields = {field.name: hints[field.name] for field in attrs.fields(cls) if field.init}
    for name, kind in fields.items():
        if not _is_readable(kind):
            raise PluginError(f"{cls.__module__}.{cls.__name__}.{name} has the type {kind}, which no option can have")
    return fields


def _is_readable(kind: Any) -> bool:
    if is_optional(kind):
        return _is_readable(without_none(kind))
    if get_origin(kind) is tuple or is_mapping(kind):
        return all(part is Ellipsis or _is_readable(part) for part in get_args(kind))
    return kind is Any or kind in _PHRASES or is_enum(kind) or attrs.has(kind)
