"""Credential names: which are allowed, and how they compare.  CredHub's rules."""

from __future__ import annotations

import re

from kubo_sdk.errors import ConfigError

LONGEST = 1024

_PART = r"[a-zA-Z0-9\-_.:,()\[\]+]+"
_NAME = re.compile(rf"(/{_PART})+")


def checked(name: str) -> str:
    """*name* with its leading slash; ConfigError when it is no credential name."""
    full = name if name.startswith("/") else f"/{name}"
    if len(full) > LONGEST or not _NAME.fullmatch(full):
        rule = f"write /director/cluster/leaf with letters, digits and -_.:,()[]+, at most {LONGEST} characters"
        raise ConfigError([f"{name!r} is no credential name; {rule}"])
    return full


def prefix_of(path: str) -> str:
    """What the names below *path* begin with.  ``/`` is above all of them."""
    return "/" if path.strip("/") == "" else checked(path.rstrip("/")) + "/"


def same_name(one: str, other: str) -> bool:
    """Whether two names mean one credential."""
    return checked(one).lower() == checked(other).lower()
