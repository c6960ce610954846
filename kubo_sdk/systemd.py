"""Text of systemd units: command lines quoted as systemd reads them, and services as all of ours look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

UNIT_DIRECTORY = "/etc/systemd/system"

# Written by a CPI whose machines differ from a plain virtual machine, as KEY=VALUE lines:
# KUBO_CGROUP is v1 or v2, whichever the machine sees at /sys/fs/cgroup.
MACHINE_ENVIRONMENT = "/etc/kubo/machine.env"
CGROUP = "${KUBO_CGROUP}"
KNOWS_CGROUP: Mapping[str, str] = {"Environment": "KUBO_CGROUP=v2", "EnvironmentFile": f"-{MACHINE_ENVIRONMENT}"}

HARDENED: Mapping[str, str] = {"NoNewPrivileges": "yes", "ProtectSystem": "full", "ProtectHome": "yes"}

Settings = Mapping[str, str | tuple[str, ...]]

NONE: Settings = MappingProxyType({})

LONGEST_LINE = 100

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+*\-]+")


def command_line(arguments: Iterable[str]) -> str:
    """An ``ExecStart=`` value, one argument a line if it is long.  Of all variables only `CGROUP` is expanded in it."""
    quoted = [_quoted(argument) for argument in arguments]
    line = " ".join(quoted)
    return line if len(line) <= LONGEST_LINE else " \\\n  ".join(quoted)


def _quoted(argument: str) -> str:
    if _PLAIN.fullmatch(argument):
        return argument
    text = argument.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("%", "%%")
    text = text.replace("$", "$$").replace(f"${CGROUP}", CGROUP)
    return f'"{text}"'


def service(*, description: str, command: Iterable[str], unit: Settings = NONE, settings: Settings = NONE) -> str:
    """A daemon that is restarted for ever.  *unit* and *settings* add to, or replace, what all our services have."""
    head: Settings = {"Description": description, "After": "network.target", "StartLimitIntervalSec": "0", **unit}
    body: Settings = {
        "Type": "simple",
        "ExecStart": command_line(command),
        "Restart": "always",
        "RestartSec": "1",
        "LimitNOFILE": "65536",
        **settings,
    }
    return unit_text({"Unit": head, "Service": body, "Install": {"WantedBy": "multi-user.target"}})


def unit_text(sections: Mapping[str, Settings]) -> str:
    """The text of a unit.  A tuple is a setting given several times."""
    return "\n".join(f"[{name}]\n{_lines(settings)}" for name, settings in sections.items())


def _lines(settings: Settings) -> str:
    return "".join(
        f"{key}={value}\n"
        for key, values in settings.items()
        for value in ((values,) if isinstance(values, str) else values)
    )
