"""Secret: a value that does not print, format, serialise or pickle.

Open it with ``reveal()`` or ``reveal_bytes()`` and nowhere else, so that every use can be found with grep.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NoReturn, final

MASK = "Secret(…)"


@final
class Secret:
    """One secret text or byte string."""

    __slots__ = ("_value",)

    def __init__(self, value: str | bytes) -> None:
        if not isinstance(value, str | bytes):  # bytes(12345) would be 12345 zeros
            raise TypeError(f"a Secret holds text or bytes, not {type(value).__name__}")
        self._value = value.encode(errors="surrogateescape") if isinstance(value, str) else bytes(value)

    def reveal(self) -> str:
        """The secret as text (UTF-8); ValueError when it is none."""
        try:
            return self._value.decode()
        except UnicodeDecodeError:
            pass  # the original error carries the secret, so it must not even be the context of the next one
        raise ValueError("this secret is not text; read it with reveal_bytes()")

    def reveal_bytes(self) -> bytes:
        """The secret as bytes."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(hashlib.sha256(self._value).digest())

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied out; pass its credential name instead")
