"""Builds attrs classes from plain mappings and collects every problem on the way.

The same reader serves the spec's own classes and the config classes of providers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

import attrs

from kubo_sdk.config.kinds import choices, hints_of, is_mapping, is_optional, phrase, scalar, shown, without_none
from kubo_sdk.config.place import Place, root_place

T = TypeVar("T")

BAD: Any = object()  # what reading returns beside a problem
_ABSENT: Any = object()  # left to the class's own default


def structure(cls: type[T], mapping: Mapping[str, Any], place: str = "") -> tuple[T | None, tuple[str, ...]]:
    """Build *cls* from *mapping*: (value, ()) or (None, problems), each problem a full sentence.

    *place* is the path *mapping* stands at, such as ``cpi``; file and line come along with the mapping.
    PluginError when a field of *cls* has a type that options cannot have.
    """
    reader = Reader()
    value = reader.read(cls, mapping, root_place(mapping, (place,) if place else ()))
    return (None, reader.sentences()) if reader.problems else (value, ())


class Reader:
    """Reads plain values into typed ones.

    ``special`` maps a type, or a (class, field) pair, to a function that reads it.  ``placeholders`` maps the same
    keys to values that stand in for wrong ones, so that the rest can still be built and checked.
    """

    def __init__(
        self,
        special: Mapping[Any, Callable[[Reader, Any, Place], Any]] | None = None,
        placeholders: Mapping[Any, Any] | None = None,
    ) -> None:
        self.problems: list[tuple[Place, str]] = []
        self._special = special or {}
        self._placeholders = placeholders or {}

    def sentences(self) -> tuple[str, ...]:
        """Every problem so far, in the order of the file."""
        return tuple(f"{place} {message}" for place, message in sorted(self.problems, key=lambda each: each[0].line))

    def complain(self, place: Place, message: str) -> Any:
        """Note a problem; *message* goes on after the place: ``must be a list, not 3``."""
        self.problems.append((place, message))
        return BAD

    def read(self, kind: Any, value: Any, place: Place) -> Any:
        """*value* as a *kind*, or BAD beside at least one new problem."""
        if kind in self._special:
            return self._special[kind](self, value, place)
        if kind is Any:
            return value
        if is_optional(kind):
            return None if value is None else self.read(without_none(kind), value, place)
        if get_origin(kind) is tuple:
            return self._read_tuple(get_args(kind), value, place)
        if is_mapping(kind):
            return self._read_mapping(get_args(kind)[1], value, place)
        return self.read_class(kind, value, place) if attrs.has(kind) else self._read_scalar(kind, value, place)

    def read_class(self, cls: type[T], value: Any, place: Place) -> Any:
        """*value*, a mapping, as the attrs class *cls*; unknown and missing keys are problems."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            return self.wrong(phrase(cls), value, place)
        fields = {_key(field): field for field in attrs.fields(cls) if field.init}  # type: ignore[arg-type]
        for key in value:
            if key not in fields:
                self.complain(place.child(key, value), f"is not known{choices(str(key), fields)}")
        hints = hints_of(cls)
        read = {key: self._read_field(cls, field, hints[field.name], value, place) for key, field in fields.items()}
        return self._build(cls, {key: found for key, found in read.items() if found is not _ABSENT}, value, place)

    def wrong(self, wanted: str, value: Any, place: Place) -> Any:
        """Note that *value* is not what is wanted."""
        return self.complain(place, f"must be {wanted}, not {shown(value)}")

    def _read_field(self, cls: type, field: attrs.Attribute[Any], kind: Any, mapping: Any, place: Place) -> Any:
        key, special = _key(field), (cls, field.name)
        here = place.child(key, mapping)
        if key in mapping:
            read = self._special.get(special)
            found = read(self, mapping[key], here) if read else self.read(kind, mapping[key], here)
        elif field.default is attrs.NOTHING:
            found = self.complain(here, f"is missing; it must be {phrase(kind)}")
        else:
            return _ABSENT
        return self._placeholders.get(special, BAD) if found is BAD else found

    def _build(self, cls: type, values: dict[str, Any], mapping: Any, place: Place) -> Any:
        good = {key: value for key, value in values.items() if value is not BAD}
        before = len(self.problems)
        error: Exception | None = None
        if len(good) == len(values):
            try:
                return cls(**good)
            except (ValueError, TypeError) as raised:
                error = raised
        self._validate_each(cls, good, mapping, place)
        if error is not None and len(self.problems) == before:
            self.complain(place, f"is wrong: {_reason(error)}")
        return BAD

    def _validate_each(self, cls: type, good: Mapping[str, Any], mapping: Any, place: Place) -> None:
        """Run each field's validator alone, so that each problem gets the line of its own key."""
        half: object = object.__new__(cls)
        fields = [field for field in attrs.fields(cls) if field.init and _key(field) in good]
        for field in fields:
            object.__setattr__(half, field.name, good[_key(field)])
        for field in fields:
            try:
                if field.validator is not None:
                    field.validator(half, field, good[_key(field)])
            except AttributeError:
                continue  # it looks at a field that is itself wrong
            except (ValueError, TypeError) as error:
                self.complain(place.child(_key(field), mapping), f"is wrong: {_reason(error)}")

    def _read_tuple(self, kinds: tuple[Any, ...], value: Any, place: Place) -> Any:
        if not isinstance(value, list | tuple):
            return self.wrong("a list", value, place)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        if len(kinds) != len(value):
            return self.complain(place, f"must have {len(kinds)} items, not {len(value)}")
        found = [self._read_item(kind, value, index, place) for index, kind in enumerate(kinds)]
        return BAD if any(part is BAD for part in found) else tuple(found)

    def _read_item(self, kind: Any, items: Any, index: int, place: Place) -> Any:
        found = self.read(kind, items[index], place.child(index, items))
        return self._placeholders.get(kind, BAD) if found is BAD else found

    def _read_mapping(self, kind: Any, value: Any, place: Place) -> Any:
        if not isinstance(value, Mapping):
            return self.wrong("a mapping", value, place)
        found = {str(key): self.read(kind, part, place.child(key, value)) for key, part in value.items()}
        return BAD if any(part is BAD for part in found.values()) else found

    def _read_scalar(self, kind: Any, value: Any, place: Place) -> Any:
        try:
            return scalar(kind, value)
        except ValueError:
            return self.wrong(phrase(kind), value, place)


def _key(field: attrs.Attribute[Any]) -> str:
    return field.alias or field.name


def _reason(error: Exception) -> str:
    return str(error.args[0] if error.args else error)
