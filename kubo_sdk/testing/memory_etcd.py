"""An etcd in memory, as the core lends it to an overlay."""

from __future__ import annotations

from kubo_sdk.ports.access import KeyValue


class MemoryEtcd:
    """The port `Etcd`: keys with the revision that wrote them last."""

    def __init__(self) -> None:
        self._found: dict[str, KeyValue] = {}
        self._revision = 0

    def get(self, key: str) -> KeyValue | None:
        return self._found.get(key)

    def list(self, prefix: str) -> tuple[KeyValue, ...]:
        return tuple(self._found[key] for key in sorted(self._found) if key.startswith(prefix))

    def put(self, key: str, value: bytes) -> None:
        self._revision += 1
        self._found[key] = KeyValue(key=key, value=value, mod_revision=self._revision)

    def delete(self, key: str) -> None:
        if self._found.pop(key, None) is not None:
            self._revision += 1
