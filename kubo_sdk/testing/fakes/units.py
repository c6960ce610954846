"""Units of a fake machine: their states, and what their text says about the program they start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from attrs import define, field

from kubo_sdk.model.release import NODE_RELEASES

# How long a unit takes from its start until it is active, in virtual seconds.
START_SECONDS: Mapping[str, float] = {
    "etcd.service": 0.3,
    "kube-apiserver.service": 1.5,
    "kubelet.service": 0.8,
    "containerd.service": 0.3,
}

_FLAG = re.compile(r'"--([\w-]+)=((?:[^"\\]|\\.)*)"|(?<=\s)--([\w-]+)=(\S*)')
_RELEASE = re.compile(rf"^ExecStart={NODE_RELEASES}/(\d+\.\d+\.\d+)-", re.MULTILINE)
_ENVIRONMENT_FILE = re.compile(r"^EnvironmentFile=-?(\S+)$", re.MULTILINE)
_ENVIRONMENT = re.compile(r'^Environment="?(\w+)=([^"\n]*)"?$', re.MULTILINE)


class StartFailed(Exception):
    """The program ends right after its start, with the reason in its log."""


class Process(Protocol):
    """What runs while a unit does."""

    def ready(self) -> bool:
        """Whether it says that it is ready; until then its unit is activating."""
        ...

    def stop(self) -> None: ...


@define(eq=False, kw_only=True)
class FakeUnit:
    """One unit.  ``state`` is what somebody did to it: active, inactive, failed, or restarting, which systemd goes on
    doing for ever.  ``changed``: when it came into this state.  ``restarts``: how often systemd started it by itself.

    ``cursed``: it fails at every start.  ``hung``: it is active and does not answer.
    """

    name: str
    state: str = "inactive"
    since: float = 0.0
    process: Process | None = field(default=None, repr=False)
    reason: str = ""
    changed: float = 0.0
    restarts: int = 0
    cursed: bool = False
    hung: bool = False

    @property
    def ready_at(self) -> float:
        return self.since + START_SECONDS.get(self.name, 0.1)


def full_name(name: str) -> str:
    """``kubelet.service`` for ``kubelet``."""
    return name if "." in name else f"{name}.service"


def flags(text: str) -> dict[str, str]:
    """The ``--name=value`` flags in the text of a unit."""
    return {found[1] or found[3]: found[2] if found[1] else found[4] for found in _FLAG.finditer(text)}


def kubernetes_version(text: str) -> str:
    """The version of the release whose program the text of a unit starts; empty for any other program."""
    found = _RELEASE.search(text)
    return found[1] if found else ""


def environment(text: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """The variables that a unit's text and its environment files set."""
    found: dict[str, str] = dict(_ENVIRONMENT.findall(text))
    for path in _ENVIRONMENT_FILE.findall(text):
        for line in files.get(path, b"").decode(errors="replace").splitlines():
            name, equals, value = line.partition("=")
            if equals and not name.startswith("#"):
                found[name.strip()] = value.strip().strip("\"'")
    return found
