"""Where a value of the spec stands: its path and, when it was read from a file, the file and the line.

A `Section` and an `Items` are a dict and a list that remember this, so a problem found late (a provider's option, an
overlap with the host) can still be told with its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

Key = str | int
Path = tuple[Key, ...]


class Section(dict[str, Any]):
    """A mapping read from *file*.  ``line`` is where it starts; ``lines`` holds the line of each key."""

    def __init__(self, values: Mapping[str, Any], *, file: str, line: int, lines: Mapping[str, int]) -> None:
        super().__init__(values)
        self.file = file
        self.line = line
        self.lines = dict(lines)

    def line_of(self, key: Key) -> int:
        """The line of *key*, or of the whole mapping where it has no such key."""
        return self.lines.get(str(key), self.line)

    def replaced(self, values: Mapping[str, Any]) -> Section:
        """Other values with the same lines."""
        return Section(values, file=self.file, line=self.line, lines=self.lines)


class Items(list[Any]):
    """A list read from *file*, with the line of each item."""

    def __init__(self, values: Iterable[Any], *, file: str, line: int, lines: Sequence[int]) -> None:
        super().__init__(values)
        self.file = file
        self.line = line
        self.lines = tuple(lines)

    def line_of(self, key: Key) -> int:
        """The line of the item number *key*."""
        return self.lines[key] if isinstance(key, int) and key < len(self.lines) else self.line


@frozen
class Place:
    """A path, and the file and line it was read from if it was."""

    path: Path = ()
    file: str = ""
    line: int = 0

    def child(self, key: Key, container: Any) -> Place:
        """The place of *key* inside *container*, which stands at this place."""
        if isinstance(container, Section | Items):
            return Place((*self.path, key), container.file, container.line_of(key))
        return Place((*self.path, key), self.file, self.line)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        return where + (dotted(self.path) or "the spec")


def dotted(path: Path) -> str:
    """The path as people write it: ``instance_groups[1].instances``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")


def root_place(document: Any, path: Path = ()) -> Place:
    """Where *document* itself starts."""
    if isinstance(document, Section | Items):
        return Place(path, document.file, document.line)
    return Place(path)


def locate(document: Any, path: Path) -> Place:
    """The place of *path* inside *document*, as near as the document goes; the path itself is kept whole."""
    place, value = root_place(document), document
    for key in path:
        if not isinstance(value, Mapping | list | tuple):
            break
        place = place.child(key, value)
        value = _item(value, key)
    return Place(path, place.file, place.line)


def is_written(document: Any, path: Path) -> bool:
    """Whether *document* itself says something at *path*."""
    for key in path:
        if isinstance(document, Mapping) and key not in document:
            return False
        document = _item(document, key) if isinstance(document, Mapping | list | tuple) else None
    return True


def _item(container: Any, key: Key) -> Any:
    if isinstance(container, Mapping):
        return container.get(key)
    return container[key] if isinstance(key, int) and key < len(container) else None


def same_place(template: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """*values* with the lines of *template*, where that has any."""
    return template.replaced(values) if isinstance(template, Section) else values
