"""Reads one YAML document into dicts and lists that remember their lines.  Safe tags only, no key twice."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from yaml import MappingNode, Node, SafeLoader, ScalarNode, SequenceNode

from kubo_sdk.config.kinds import shown
from kubo_sdk.config.place import Items, Section
from kubo_sdk.errors import ConfigError

_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


def read_document(path: Path, *, is_spec: bool = True) -> tuple[Section, tuple[str, ...]]:
    """The mapping in the file *path*, and what is wrong with its YAML: keys said twice, keys that are no text.

    ConfigError when it cannot be read as one mapping at all.  A file that is no spec may hold nothing.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file; name the file that describes your cluster"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    return parse_document(text, str(path), is_spec=is_spec)


def parse_document(text: str, file: str, *, is_spec: bool = True) -> tuple[Section, tuple[str, ...]]:
    """As `read_document`, from *text*; *file* is what problems call it."""
    loader: SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        node = loader.get_single_node()
        composer = _Composer(loader, file)
        document = None if node is None else composer.value(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(
            [f"{file}:{line}: this is not YAML as it should be: {error.problem or error.context}"]
        ) from None
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        raise ConfigError([f"{file}:1: this is not YAML as it should be: {first}"]) from None
    finally:
        loader.dispose()
    if document is None and not is_spec:
        return Section({}, file=file, line=1, lines={}), ()
    if document is None:
        raise ConfigError([f"{file}:1: the file is empty; it needs at least name and kubernetes.version"])
    if not isinstance(document, Section):
        wanted = "a mapping that starts with name" if is_spec else "a mapping, a line 'key: value' for each option"
        raise ConfigError([f"{file}:1: the file must hold {wanted}, not {shown(document)}"])
    return document, tuple(composer.problems)


class _Composer:
    """Turns YAML nodes into values.  An anchor's node becomes one shared value, so aliases cannot blow up."""

    def __init__(self, loader: SafeLoader, file: str) -> None:
        self.problems: list[str] = []
        self._loader = loader
        self._file = file
        self._done: dict[Node, Any] = {}
        self._open: set[Node] = set()

    def value(self, node: Node) -> Any:
        if node in self._open:
            self._complain(node, "an alias stands inside the value it names; write the value out")
            return None
        if node not in self._done:
            self._open.add(node)
            self._done[node] = self._build(node)
            self._open.discard(node)
        return self._done[node]

    def _build(self, node: Node) -> Any:
        if not isinstance(node, ScalarNode) and node.tag not in _PLAIN_TAGS:
            self._complain(node, f"the tag {node.tag} is not allowed; write plain mappings and lists")
        if isinstance(node, MappingNode):
            return self._section(node)
        if isinstance(node, SequenceNode):
            return self._items(node)
        return self._loader.construct_object(node)

    def _items(self, node: SequenceNode) -> Items:
        lines = [_line(item) for item in node.value]
        return Items([self.value(item) for item in node.value], file=self._file, line=_line(node), lines=lines)

    def _section(self, node: MappingNode) -> Section:
        self._refuse_doubles(node)
        self._loader.flatten_mapping(node)  # resolves "<<", after the keys that were really written are checked
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            values[key], lines[key] = self.value(value_node), _line(key_node)
        return Section(values, file=self._file, line=_line(node), lines=lines)

    def _refuse_doubles(self, node: MappingNode) -> None:
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self._key(key_node, quiet=True)
            if key in seen:
                self._complain(key_node, f"{key!r} stands here a second time, first in line {seen[key]}; keep one")
            seen.setdefault(key, _line(key_node))

    def _key(self, node: Node, *, quiet: bool = False) -> str:
        key = self.value(node)
        if not isinstance(key, str) and not quiet:
            self._complain(node, f"the key {key!r} is not a text; put it in quotes")
        return key if isinstance(key, str) else repr(key) if isinstance(key, Hashable) else "?"

    def _complain(self, node: Node, message: str) -> None:
        self.problems.append(f"{self._file}:{_line(node)}: {message}")


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
