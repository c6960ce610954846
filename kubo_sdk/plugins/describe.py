"""Describes plugins as rows: what each offers, which options it takes, and what is wrong with the rest."""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args, get_type_hints

import attrs

from kubo_sdk.plugins.discovery import Candidate
from kubo_sdk.plugins.loading import Loaded, Offer
from kubo_sdk.plugins.verify import hooks


def describe(loaded: Loaded) -> list[dict[str, Any]]:
    """A row for every provider, for every plugin without one, and for every broken or left-out plugin.

    Keys: name, plugin, distribution, version, port, summary, contract, capabilities, options, hooks (all of the
    plugin's), status (``ok``, ``broken``, ``clash`` or ``left out``), reason.
    """
    rows = [_offer_row(loaded, offer) for _, offer in sorted(loaded.offers.items())]
    offering = {offer.plugin.name for offer in loaded.offers.values()}
    rows += [_row(plugin, hooks=_hooks(loaded, plugin)) for plugin in loaded.plugins if plugin.name not in offering]
    rows += [_row(broken, status="broken", reason=broken.reason) for broken in loaded.broken]
    rows += [{**_empty_row(), "status": "clash", "reason": clash} for clash in loaded.clashes]
    rows += [_row(plugin, status="left out", reason="left out on request") for plugin in loaded.skipped]
    return rows


def _empty_row() -> dict[str, Any]:
    keys = ("name", "plugin", "distribution", "version", "port", "summary")
    lists: dict[str, Any] = {"capabilities": [], "options": [], "hooks": []}
    return {**dict.fromkeys(keys, ""), "contract": None, **lists, "status": "ok", "reason": ""}


def _row(plugin: Any, **more: Any) -> dict[str, Any]:
    origin = {"plugin": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
    return {**_empty_row(), "name": plugin.name, **origin, **more}


def _offer_row(loaded: Loaded, offer: Offer) -> dict[str, Any]:
    provider = offer.provider
    return _row(offer.plugin, port=offer.port, summary=provider.summary, options=options(provider.config)) | {
        "name": provider.name,
        "contract": provider.contract,
        "capabilities": sorted(provider.capabilities),
        "hooks": _hooks(loaded, offer.plugin),
    }


def _hooks(loaded: Loaded, plugin: Candidate) -> list[str]:
    return [hook for hook in hooks() if loaded.caller(plugin, hook) is not None]


def options(config: type) -> list[dict[str, Any]]:
    """The options a config class takes: name, type, required, default."""
    try:
        hints = get_type_hints(config)
    except NameError:
        hints = {}
    fields = [field for field in attrs.fields(config) if field.init]
    return [
        {
            "name": field.alias or field.name,
            "type": _type_text(hints.get(field.name, field.type)),
            "required": field.default is attrs.NOTHING,
            "default": _default(field),
        }
        for field in fields
    ]


def _type_text(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(str(member.value) for member in kind)
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    return str(kind).replace("typing.", "").replace("collections.abc.", "")


def _default(field: Any) -> Any:
    default = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = None if default.takes_self else default.factory()
    return _plain(None if default is attrs.NOTHING else default)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)
