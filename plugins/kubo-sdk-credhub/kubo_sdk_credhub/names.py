"""Credential names: which CredHub takes."""

from __future__ import annotations

import re

from kubo_sdk.errors import ConfigError

LONGEST = 1024

_PART = r"[a-zA-Z0-9\-_.:,()\[\]+]+"
_NAME = re.compile(rf"(/{_PART})+")


def checked(name: str) -> str:
    """*name* with its leading slash; ConfigError when CredHub would refuse it."""
    full = name if name.startswith("/") else f"/{name}"
    if len(full) > LONGEST or not _NAME.fullmatch(full):
        rule = f"write /director/cluster/leaf with letters, digits and -_.:,()[]+, at most {LONGEST} characters"
        raise ConfigError([f"{name!r} is no name for CredHub; {rule}"])
    return full


def checked_path(path: str) -> str:
    """What `checked` is for names, for a path to find names below; ``/`` is above all of them."""
    return "/" if not path.strip("/") else checked(path.rstrip("/"))


def same_name(one: str, other: str) -> bool:
    """Whether two names mean one credential: case does not count."""
    return checked(one).lower() == checked(other).lower()
