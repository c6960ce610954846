"""Problem: one thing that is wrong with the meaning of a spec, whose every value has the right type."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from kubo_sdk.config.place import Path, dotted


@frozen
class Problem:
    """*message* goes on after the path: ``must be at least 1, not 0``.

    ``derived_from`` names the paths it was concluded from besides its own; when one of those was already found wrong,
    the problem is not worth telling.
    """

    path: Path
    message: str
    derived_from: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{dotted(self.path) or 'the spec'} {self.message}"

    def rests_on(self, wrong: Iterable[Path]) -> bool:
        """Whether one of the paths it was concluded from, or a part that holds it, is among *wrong*."""
        paths = (self.path, *self.derived_from)
        return any(path[: len(bad)] == bad for bad in wrong for path in paths)
