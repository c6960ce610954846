"""Command lines and config documents that hold only what a version knows.  The knowledge is in `gates`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from kubo_sdk.errors import ConfigError
from kubo_sdk.nodes.gates import ANY, ETCD, GATES

T = TypeVar("T")


# Every machine of a cluster asks the same about the same few names.
@lru_cache(maxsize=1024)
def is_valid(component: str, name: str, minor: int) -> bool:
    """True when that flag or field exists in that minor version, or the table does not know it."""
    gates = [gate for gate in GATES if gate.name == name and gate.component in _scopes(component)]
    return not gates or any(gate.allows(minor) for gate in gates)


def _scopes(component: str) -> tuple[str, ...]:
    return (component,) if component == ETCD or component.endswith("Configuration") else (component, ANY)


def valid_only(component: str, minor: int, fields: Mapping[str, T]) -> dict[str, T]:
    """*fields* without those that version does not know."""
    return {name: value for name, value in fields.items() if is_valid(component, name, minor)}


def flags_for(
    component: str, minor: int, flags: Mapping[str, str], extra: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """``--name=value`` for every flag that version knows.  *extra*, the user's own, replaces a flag of that name.

    Raises ConfigError for a flag of the user's that the version does not know: the daemon would not start.
    """
    chosen = valid_only(component, minor, flags)
    own = {name.lstrip("-"): value for name, value in (extra or {}).items()}
    refused = [name for name in own if not is_valid(component, name, minor)]
    if refused:
        raise ConfigError(
            [
                f"{component} has no flag --{name} in minor version {minor}; take it out of extra_args"
                for name in refused
            ]
        )
    return tuple(f"--{name}={value}" for name, value in {**chosen, **own}.items())


# etcd is told these by its environment, and does not start when a flag says the same.
TOLD_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    ETCD: ("initial-cluster", "initial-cluster-state", "listen-client-urls", "force-new-cluster")
}


def refused_extra_args(extra_args: Mapping[str, Mapping[str, Any]], minor: int) -> tuple[str, ...]:
    """One sentence for every entry of ``extra_args`` that cannot work, so that it is said before any change."""
    return _told_otherwise(extra_args) + tuple(
        f"{component} has no flag --{name.lstrip('-')} in Kubernetes 1.{minor}; take it out of extra_args"
        for component, flags in extra_args.items()
        if component != ETCD
        for name in flags
        if not is_valid(component, name.lstrip("-"), minor)
    )


def _told_otherwise(extra_args: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(
        f"--{name.lstrip('-')} of {component} follows from the members there are; take it out of extra_args"
        for component, names in TOLD_OTHERWISE.items()
        for name in extra_args.get(component, ())
        if name.lstrip("-") in names
    )
