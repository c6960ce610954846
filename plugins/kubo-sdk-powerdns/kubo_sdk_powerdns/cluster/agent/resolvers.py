"""Whom the recursor asks for what: the cluster's zones here, everything else whoever the machine itself asks."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from kubo_sdk_powerdns.cluster.agent.settings import Settings


def forwards(settings: Settings) -> str:
    """The recursor's file of zones, made from the machine's resolv.conf as it is now.

    Where nobody is known to ask, names outside go to our own server, which refuses them at once: a client that gets a
    failure goes on, one that gets nothing waits.
    """
    machine = nameservers(_text(settings.resolv_conf), {settings.address})
    lines = [f"{zone}={settings.server}" for zone in settings.zones]
    if machine and settings.zone not in settings.zones:
        lines.append(f"+{settings.zone}={_joined(machine)}")
    outside = list(settings.forward) or machine
    lines.append(f"+.={_joined(outside)}" if outside else f".={settings.server}")
    return "".join(f"{line}\n" for line in lines)


def nameservers(text: str, own: Iterable[str]) -> list[str]:
    """The servers a resolv.conf names, without *own*: asking oneself would never end."""
    words = (line.split() for line in text.splitlines())
    found = [each[1].partition("%")[0] for each in words if len(each) > 1 and each[0] == "nameserver"]
    return [text for text in dict.fromkeys(found) if text not in own and _is_address(text)]


class Watched:
    """Tells whether one of several files was changed or exchanged since it was last asked."""

    def __init__(self, *paths: str) -> None:
        self._paths = paths
        self._seen = self._look()

    def changed(self) -> bool:
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> list[tuple[int, int, int] | None]:
        return [_mark(path) for path in self._paths]


def _mark(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _joined(servers: Iterable[str]) -> str:
    return ";".join(f"[{text}]:53" if ":" in text else text for text in servers)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
