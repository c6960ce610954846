"""From YAML, or from a plain mapping, to a ClusterSpec.  Every problem is told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from kubo_sdk.config.checks import check
from kubo_sdk.config.place import Place, is_written, locate, root_place
from kubo_sdk.config.problem import Problem
from kubo_sdk.config.spec_schema import spec_reader
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ClusterSpec, ProviderChoice


def load(path: Path) -> ClusterSpec:
    """Read the spec in the YAML file *path*.  ConfigError holds every problem, each with file and line."""
    from kubo_sdk.config.document import read_document  # noqa: PLC0415 - brings PyYAML, which mappings do not need

    return _read(*read_document(path))


def from_mapping(mapping: Mapping[str, Any]) -> ClusterSpec:
    """The spec that *mapping* describes.  ConfigError holds every problem, each with its path."""
    return _read(mapping, ())


def _read(mapping: Mapping[str, Any], problems: Iterable[str]) -> ClusterSpec:
    reader = spec_reader()
    spec = reader.read(ClusterSpec, mapping, root_place(mapping))
    if isinstance(spec, ClusterSpec):
        wrong = [place.path for place, _ in reader.problems]
        for problem in check(spec):
            if not problem.rests_on(wrong):
                reader.complain(_place(mapping, problem), problem.message)
    found = (*problems, *reader.sentences())
    if found or not isinstance(spec, ClusterSpec):
        raise ConfigError(found)
    return spec


def _place(mapping: Mapping[str, Any], problem: Problem) -> Place:
    """The problem's path, with the line of what the user wrote: a default has no line of its own."""
    paths = (problem.path, *problem.derived_from)
    written = next((path for path in paths if is_written(mapping, path)), problem.path)
    return attrs.evolve(locate(mapping, written), path=problem.path)


def refuse(problems: Iterable[Problem], spec: ClusterSpec | None = None) -> None:
    """ConfigError with all of *problems*, if there are any.

    A problem with a provider's option gets the line of that option when *spec* came from a file.
    """
    found = [f"{_option_line(spec, problem)}{problem}" for problem in problems]
    if found:
        raise ConfigError(found)


def line_of(choice: ProviderChoice, option: str = "provider") -> str:
    """Where *option* of *choice* was written, to be put before a sentence: ``cluster.yml:7: ``; empty if unknown."""
    place = locate(choice.options, (option,))
    return f"{place.file}:{place.line}: " if place.file else ""


def _option_line(spec: ClusterSpec | None, problem: Problem) -> str:
    choice = getattr(spec, str(problem.path[0]), None) if spec and problem.path else None
    if not isinstance(choice, ProviderChoice):
        return ""
    return line_of(choice, str(problem.path[1])) if len(problem.path) > 1 else line_of(choice)
