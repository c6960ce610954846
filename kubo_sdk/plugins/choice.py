"""Picks a provider by its name, and says what there is instead when it is not there."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from kubo_sdk.errors import ConfigError, PluginError
from kubo_sdk.plugins.loading import PORTS, BrokenPlugin, Loaded
from kubo_sdk.ports.providers import Provider


def pick(loaded: Loaded, port: str, name: str) -> Provider[Any]:
    """The provider *name* of *port*.

    PluginError while two plugins claim one name, and when the plugin of that name is broken; ConfigError, naming what
    is installed, when there is none.
    """
    if loaded.clashes:
        raise PluginError("; ".join(loaded.clashes))
    offer = loaded.offers.get((port, name))
    if offer is not None:
        return offer.provider
    called = next(each.called for each in PORTS if each.port == port)
    for broken in loaded.broken:
        if broken.name == name:
            raise PluginError(f"the {called} {name!r} cannot be used: {_told(broken)}; repair or reinstall it")
    raise ConfigError([f"{port}: {_unknown(loaded, port, name, called)}"])


def _unknown(loaded: Loaded, port: str, name: str, called: str) -> str:
    names = sorted(known for offered, known in loaded.offers if offered == port)
    near = get_close_matches(name, names, n=1)
    sentence = f"there is no {called} {name!r}"
    sentence += f", did you mean {near[0]!r}?" if near else ";"
    sentence += f" installed: {', '.join(names) or 'none, install a plugin that offers one'}"
    if loaded.broken:
        sentence += f"; broken: {', '.join(_told(broken) for broken in loaded.broken)}"
    if loaded.skipped:
        sentence += f"; left out on request: {', '.join(plugin.name for plugin in loaded.skipped)}"
    return sentence


def _told(broken: BrokenPlugin) -> str:
    return f"plugin {broken.name!r} of {broken.distribution} {broken.version}: {broken.reason}"
