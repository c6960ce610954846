"""Finds plugins without importing any: the built-in one, what the caller hands over, what is installed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from importlib import metadata

from attrs import field, frozen

GROUP = "kubo_sdk"
ALLOW_VARIABLE = "KUBO_PLUGINS"
DENY_VARIABLE = "KUBO_DISABLE_PLUGINS"
CORE_DISTRIBUTION = "kubo-sdk"
BUILTIN = "builtin"
BUILTIN_MODULE = "kubo_sdk.builtin.plugin"


@frozen(kw_only=True)
class Candidate:
    """A plugin that may be loaded.  ``distribution`` and ``version`` are empty for what the caller handed over."""

    name: str
    distribution: str = ""
    version: str = ""
    load: Callable[[], object] = field(eq=False, repr=False)

    @property
    def source(self) -> str:
        """Where it comes from, for sentences: ``kubo-sdk-flannel 0.1.0``."""
        return f"{self.distribution} {self.version}" if self.distribution else f"the object {self.name!r}"

    def is_called(self, names: Collection[str]) -> bool:
        """Whether *names* holds the plugin's name or that of its distribution."""
        return self.name in names or self.distribution in names


@frozen(kw_only=True)
class Selection:
    """Which installed plugins to load.  Both lists hold names of plugins or of distributions; None allows all."""

    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()

    def admits(self, candidate: Candidate) -> bool:
        """The built-in plugin needs no allowance, but can be denied like any other."""
        if candidate.is_called(self.deny):
            return False
        return self.allow is None or candidate.name == BUILTIN or candidate.is_called(self.allow)


def select(allow: Iterable[str] | None, deny: Iterable[str], environment: Mapping[str, str] | None = None) -> Selection:
    """*allow*, or else ``KUBO_PLUGINS``; *deny* together with ``KUBO_DISABLE_PLUGINS``.  Empty means unset."""
    variables = os.environ if environment is None else environment
    allowed = _names(variables.get(ALLOW_VARIABLE, "")) if allow is None else frozenset(allow)
    return Selection(
        allow=allowed if allowed or allow is not None else None,
        deny=frozenset(deny) | _names(variables.get(DENY_VARIABLE, "")),
    )


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in text.replace(",", " ").split() if name)


def builtin() -> Candidate:
    """The providers that ship with the core."""
    try:
        version = metadata.version(CORE_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        version = "not installed"
    return Candidate(
        name=BUILTIN,
        distribution=CORE_DISTRIBUTION,
        version=version,
        load=partial(importlib.import_module, BUILTIN_MODULE),
    )


def handed_over(plugins: Iterable[object]) -> tuple[Candidate, ...]:
    """Modules and objects given by the caller, each under a name of its own."""
    candidates: list[Candidate] = []
    for plugin in plugins:
        name = str(getattr(plugin, "__name__", None) or type(plugin).__name__)
        equals = sum(candidate.name.split("#")[0] == name for candidate in candidates)
        name = f"{name}#{equals + 1}" if equals else name
        candidates.append(Candidate(name=name, load=partial(_given, plugin)))
    return tuple(candidates)


def _given(plugin: object) -> object:
    return plugin


def installed() -> tuple[Candidate, ...]:
    """Every entry point of the group, in the order of their names.  Imports none of them."""
    found = [
        Candidate(
            name=entry.name,
            distribution=entry.dist.name if entry.dist else "",
            version=entry.dist.version if entry.dist else "",
            load=entry.load,
        )
        for entry in metadata.entry_points(group=GROUP)
    ]
    return tuple(sorted(found, key=lambda candidate: (candidate.name, candidate.distribution)))
