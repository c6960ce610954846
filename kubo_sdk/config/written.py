"""The spec as one would write it into a cluster.yml, in plain JSON values.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from kubo_sdk.model.spec import ClusterSpec, InstanceGroup, ProviderChoice


def spec_document(spec: ClusterSpec, *, defaults: bool = True) -> dict[str, Any]:
    """What the spec says; without *defaults* only where it says something of its own.  Nothing in a spec is secret."""
    told = {each.name: getattr(spec, each.name) for each in attrs.fields(ClusterSpec)}
    if not defaults:
        usual = ClusterSpec(name=spec.name, kubernetes=spec.kubernetes)
        told = {
            key: value for key, value in told.items() if key in ("name", "kubernetes") or value != getattr(usual, key)
        }
    return {key: _plain(value) if defaults else _brief(value) for key, value in told.items()}


def _brief(value: Any) -> Any:
    """Of a section only what differs from its defaults, as far as it has any."""
    plain = _plain(value)
    if isinstance(value, ProviderChoice | tuple) or not attrs.has(type(value)) or not isinstance(plain, dict):
        return plain
    own = {}
    for each in attrs.fields(type(value)):
        default = each.default.factory() if isinstance(each.default, attrs.Factory) else each.default  # type: ignore[arg-type]
        if getattr(value, each.name) != default:
            own[each.name] = _brief(getattr(value, each.name))
    return own


def _plain(value: Any) -> Any:
    match value:
        case ProviderChoice():
            return {"provider": value.provider, **_plain(dict(value.options))}
        case InstanceGroup():
            return {**_fields(value), "labels": dict(value.labels)}
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return _word(value)


def _word(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if attrs.has(type(value)) and "__str__" not in vars(type(value)):
        return _fields(value)
    # Versions, networks, numbers that may have a percent sign: whatever the spec writes as one word.
    return int(str(value)) if str(value).isdecimal() else str(value)


def _fields(value: Any) -> dict[str, Any]:
    return {each.name: _plain(getattr(value, each.name)) for each in attrs.fields(type(value))}
