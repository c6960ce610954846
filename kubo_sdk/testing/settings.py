"""What a suite that runs as a command may be told about the provider it judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.dns import RECORD_TYPES


def _known_types(_settings: object, _attribute: Any, types: tuple[str, ...]) -> None:
    unknown = [each for each in types if each not in RECORD_TYPES]
    if unknown or not types:
        told = f"{', '.join(unknown)} is no type of record here" if unknown else "it names no type"
        raise ValueError(f"{told}; name some of {', '.join(RECORD_TYPES)}")


@frozen(kw_only=True)
class SuiteSettings:
    """The keys of ``kubo plugin check --suite FILE``.

    ``other_options``: options for a second cluster beside the first, where that takes others (another subnet).
    ``one_process``: the provider keeps everything in its own memory, as fakes do, so no other connection can see it.
    ``secret_variables``: environment variables whose values must never be shown.
    The others are the attributes of `CpiContract` and `DnsContract`.
    """

    other_options: Mapping[str, Any] | None = field(default=None, hash=False)
    one_process: bool = False
    secret_variables: tuple[str, ...] = ()
    azs: tuple[str, str] = ("z1", "z2")
    vm: VmSize = VmSize()
    boot_timeout: float = 300.0
    patience: float = 30.0
    concurrent_creates: int = 50
    killed_moments: int = 5
    runs_commands: bool = True
    record_types: tuple[str, ...] = field(default=RECORD_TYPES, validator=_known_types)
