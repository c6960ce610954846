"""The credential store of the provider ``credhub``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from kubo_sdk.errors import AuthError, NotFound
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.ports.credentials import (
    AuthorityRotation,
    CertificateParameters,
    Credential,
    CredentialStore,
    CredentialStoreInfo,
    CredentialSummary,
    CredentialValue,
    Kind,
    Mode,
    Parameters,
)
from kubo_sdk_credhub.api.answers import Version
from kubo_sdk_credhub.api.client import CredhubClient
from kubo_sdk_credhub.keeping import marks
from kubo_sdk_credhub.keeping.generating import Generation, require_kind, waves
from kubo_sdk_credhub.keeping.reading import credential, in_use, summary
from kubo_sdk_credhub.keeping.rotation import Rotation
from kubo_sdk_credhub.keeping.writing import body_of
from kubo_sdk_credhub.names import checked

# CredHub reads one credential by its name; so many are asked for at once.
AT_ONCE = 8

T = TypeVar("T")
R = TypeVar("R")


class CredhubStore:
    """Every credential in CredHub, under its own name.  Threads may use it at once.

    CONVERGE is CredHub's own, but for what a person put: that stays.  `generate_many` makes one after the other what
    depends on each other: what was made before an error stays, and is found when it is asked for again.
    """

    def __init__(
        self,
        client: CredhubClient,
        *,
        algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        length = int(algorithm.removeprefix("rsa-"))
        self.client = client
        self._algorithm = algorithm
        self._generation = Generation(client=client, current=self._current, now=now, key_length=length)
        self._rotation = Rotation(client=client, current=self._current, key_length=length)
        self._names = _Names()

    def info(self) -> CredentialStoreInfo:
        return CredentialStoreInfo(key_algorithms=(self._algorithm.value,), rotates=True)

    def get(self, name: str) -> Credential:
        return in_use(self._marked(self.client.credentials.current(checked(name))))

    def list_versions(self, name: str) -> tuple[Credential, ...]:
        versions = marks.with_marks(self.client.credentials.versions(checked(name)))
        return tuple(credential(version) for version in versions)

    def get_below(self, path: str) -> tuple[Credential, ...]:
        """What `find` finds, opened: one search and one request for each, several at a time."""
        names = [found.name for found in self.client.credentials.find(path)]
        opened = _at_once(self._current, names)
        return tuple(in_use(current) for current in opened if current)

    def find(self, path: str) -> tuple[CredentialSummary, ...]:
        return tuple(summary(found) for found in self.get_below(path))

    def put(self, name: str, kind: Kind, value: CredentialValue) -> Credential:
        return self._set(checked(name), kind, value, None)

    def take_over(self, name: str, kind: Kind, value: CredentialValue, parameters: Parameters) -> Credential:
        """Store what another store generated from *parameters*; from now on it counts as generated here."""
        return self._set(checked(name), kind, value, parameters)

    def generate(self, name: str, parameters: Parameters, mode: Mode = Mode.CONVERGE) -> Credential:
        name = checked(name)
        with self._names.held(name):
            return self._generation.generate(name, parameters, mode)

    def generate_many(
        self, requests: Sequence[tuple[str, Parameters]], mode: Mode = Mode.CONVERGE
    ) -> tuple[Credential, ...]:
        made: dict[int, Credential] = {}
        for numbers in waves(requests):
            done = _at_once(lambda number: self.generate(*requests[number], mode), numbers)
            made |= dict(zip(numbers, done, strict=True))
        return tuple(made[number] for number in range(len(requests)))

    def delete(self, name: str) -> None:
        name = checked(name)
        try:
            self.client.credentials.delete(name)
        except NotFound:
            if self._current(name):
                where, who = self.client.exchange.url, self.client.exchange.actor
                raise AuthError(
                    f"CredHub {where} does not let {who} delete {name}; give it the permission delete on that path"
                ) from None

    def introduce_authority(self, name: str) -> Credential:
        name = checked(name)
        with self._names.held(name):
            return self._rotation.introduce(name)

    def switch_authority(self, name: str) -> Credential:
        return self._rotation.switch(checked(name))

    def retire_authority(self, name: str) -> None:
        self._rotation.retire(checked(name))

    def _current(self, name: str) -> tuple[Version, ...]:
        """The versions in use, none where there is no such credential."""
        try:
            return self._marked(self.client.credentials.current(checked(name)))
        except NotFound:
            return ()

    def _marked(self, current: tuple[Version, ...]) -> tuple[Version, ...]:
        """*current*, with the marks of older versions where they may have got lost."""
        if not any(marks.lacks_mark(version) for version in current):
            return current
        known = {version.id: version for version in marks.with_marks(self.client.credentials.versions(current[0].name))}
        return tuple(known.get(version.id, version) for version in current)

    def _set(self, name: str, kind: Kind, value: CredentialValue, parameters: Parameters | None) -> Credential:
        ca = parameters.ca if isinstance(parameters, CertificateParameters) else None
        body = body_of(name, kind, value, ca)
        with self._names.held(name):
            require_kind(self._current(name), kind)
            mark = None if parameters is None else marks.brought(parameters)
            return in_use(self._marked((self.client.credentials.set(name, kind.value, body, mark),)))


_: tuple[type[CredentialStore], type[AuthorityRotation]] = (CredhubStore, CredhubStore)


class _Names:
    """One thread at a time for each name, so that two that miss a credential do not both have it made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        key = name.lower()
        with self._lock:
            lock, users = self._held.get(key, (threading.Lock(), 0))
            self._held[key] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._held[key]
                if users == 1:
                    del self._held[key]
                else:
                    self._held[key] = (lock, users - 1)


def _at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What *work* answers to each item, in their order; the first error when there is any, once all have ended."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
        return list(pool.map(work, items))
