"""Says in one sentence why a plugin cannot be used.  Looks at it; calls none of its hooks."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator
from difflib import get_close_matches

import attrs
import pluggy

from kubo_sdk import hookspecs
from kubo_sdk.ports.providers import CONTRACTS, Provider

HOOK_PREFIX = "kubo_"
_PROVIDER_NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?")


def hooks() -> tuple[str, ...]:
    """The names of the hooks."""
    return tuple(sorted(name for name in vars(hookspecs) if name.startswith(HOOK_PREFIX) and _is_spec(name)))


def _is_spec(name: str) -> bool:
    return hasattr(getattr(hookspecs, name), f"{hookspecs.PROJECT}_spec")


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows the hooks and no plugin."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


class Hooks:
    """The hooks of one plugin.  This, and not the plugin itself, is registered: pluggy wants to hash and compare what
    it registers, and a plugin may be any object."""

    def __init__(self, plugin: object) -> None:
        self.plugin = plugin
        for name, function in _own_functions(plugin):
            setattr(self, name, function)


def reason_against_plugin(plugin: object, name: str) -> str | None:
    """What is wrong with the hooks of *plugin*: a misspelt name, wrong arguments, no marker.  None if nothing is."""
    for hook, function in _own_functions(plugin):
        if hook not in hooks():
            near = get_close_matches(hook, hooks(), n=1)
            meant = f", did you mean {near[0]!r}?" if near else ";"
            return f"{hook!r} is no hook{meant} hooks are: {', '.join(hooks())}"
        if not hasattr(function, f"{hookspecs.PROJECT}_impl"):
            return f"its hook {hook!r} is not marked; put @hookimpl on it"
    try:
        new_manager().register(Hooks(plugin), name)
    except pluggy.PluginValidationError as error:
        return "its hooks do not fit: " + " ".join(str(error).split())
    return None


def _own_functions(plugin: object) -> Iterator[tuple[str, object]]:
    """The functions called ``kubo_…`` that the plugin defines; what it only imports is not its own."""
    for name in dir(plugin):
        if name.startswith(HOOK_PREFIX):
            function = getattr(plugin, name, None)
            imported = isinstance(plugin, types.ModuleType) and getattr(function, "__module__", "") != plugin.__name__
            if inspect.isroutine(function) and not (imported and not hasattr(function, f"{hookspecs.PROJECT}_impl")):
                yield name, function


def reason_against_record(record: object, wanted: type[Provider[object]], hook: str) -> str | None:
    """What is wrong with one provider record that *hook* handed over.  None if nothing is."""
    if not isinstance(record, wanted):
        return f"its hook {hook!r} offers a {type(record).__name__} where a {wanted.__name__} belongs"
    if not isinstance(record.name, str) or not _PROVIDER_NAME.fullmatch(record.name):
        return f"its hook {hook!r} offers a provider called {record.name!r}; a name is small letters, digits and dashes"
    if not isinstance(record.config, type) or not attrs.has(record.config):
        return f"the config of its provider {record.name!r} is no attrs class"
    if not callable(record.connect):
        return f"the connect of its provider {record.name!r} cannot be called"
    if not isinstance(record.summary, str) or len(record.summary.splitlines()) > 1:
        return f"the summary of its provider {record.name!r} is not one line of text"
    return _reason_against_promises(record)


def _reason_against_promises(record: Provider[object]) -> str | None:
    """What is wrong with the contract version and the capabilities a record names."""
    if record.contract not in CONTRACTS:
        spoken = " and ".join(str(version) for version in CONTRACTS)
        return (
            f"its provider {record.name!r} keeps contract {record.contract!r} and this core speaks {spoken}; "
            "install releases of both that fit together"
        )
    if not isinstance(record.capabilities, tuple):
        return f"the capabilities of its provider {record.name!r} are no tuple of words"
    for word in record.capabilities:
        if word not in record.known_capabilities:
            near = get_close_matches(str(word), record.known_capabilities, n=1)
            meant = f", did you mean {near[0]!r}?" if near else ";"
            return (
                f"its provider {record.name!r} names the capability {word!r}, which there is not{meant} "
                f"there are: {', '.join(record.known_capabilities)}"
            )
    return None
