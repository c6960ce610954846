"""The credential store of the provider ``file``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from kubo_sdk.builtin.file_credentials import rotation
from kubo_sdk.builtin.file_credentials.config import FileCredentialsConfig
from kubo_sdk.builtin.file_credentials.database import BUSY_SECONDS, Database
from kubo_sdk.builtin.file_credentials.given import check_given
from kubo_sdk.builtin.file_credentials.key_file import KeyFile, OwnKeyFile
from kubo_sdk.builtin.file_credentials.keys import KeySource, Passphrase
from kubo_sdk.builtin.file_credentials.making import Maker, Order, require_kind, what_stays
from kubo_sdk.builtin.file_credentials.names import checked, prefix_of
from kubo_sdk.builtin.file_credentials.payload import Payload
from kubo_sdk.builtin.file_credentials.records import Records
from kubo_sdk.builtin.file_credentials.turns import Turns
from kubo_sdk.errors import NotFound
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.ports.credentials import (
    AuthorityRotation,
    Credential,
    CredentialStore,
    CredentialStoreInfo,
    CredentialSummary,
    CredentialValue,
    Kind,
    Mode,
    Parameters,
)
from kubo_sdk.ports.providers import ConnectContext

T = TypeVar("T")


class FileCredentialStore:
    """Every credential sealed in one SQLite file.  Threads and processes may use it at once.

    CONVERGE keeps what was put: a person's own certificate is not replaced by a made one.  A certificate never
    outlives the CA that signed it.  The file and its own key are gone with the last credential.
    """

    def __init__(
        self,
        path: Path,
        keys: KeySource,
        *,
        algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self._maker = Maker(algorithm, now)
        self._now = now
        self._turns = Turns(Database(path, keys, busy_seconds=busy_seconds))

    def info(self) -> CredentialStoreInfo:
        return CredentialStoreInfo(key_algorithms=(self._maker.algorithm.value,), rotates=True)

    def get(self, name: str) -> Credential:
        name = checked(name)

        def newest(records: Records | None) -> Credential | None:
            found = records.newest(name) if records is not None else None
            return None if records is None or found is None else rotation.as_trusted(records, found)

        return _there(self._turns.read(newest), name)

    def list_versions(self, name: str) -> tuple[Credential, ...]:
        name = checked(name)

        def versions(records: Records | None) -> tuple[Credential, ...]:
            if records is None:
                return ()
            return tuple(rotation.as_trusted(records, record) for record in records.versions(name))

        return _there(self._turns.read(versions) or None, name)

    def put(self, name: str, kind: Kind, value: CredentialValue) -> Credential:
        name = checked(name)
        expires_at = check_given(name, kind, value)

        def add(records: Records) -> Credential:
            require_kind(records.newest(name), kind)
            made = records.add(name, kind, Payload(value=value), now=self._now(), expires_at=expires_at)
            return rotation.as_trusted(records, made)

        return self._turns.write(add)

    def take_over(self, name: str, kind: Kind, value: CredentialValue, parameters: Parameters) -> Credential:
        """Store what another store generated from *parameters*.  NotFound when the CA it names is not here."""
        order = Order(name=checked(name), parameters=parameters, mode=Mode.OVERWRITE, made=value)
        check_given(order.name, kind, value)

        def add(records: Records) -> Credential:
            require_kind(records.newest(order.name), kind)
            return rotation.as_trusted(records, self._maker.keep(records, order))

        return self._turns.write(add)

    def generate(self, name: str, parameters: Parameters, mode: Mode = Mode.CONVERGE) -> Credential:
        return self.generate_many([(name, parameters)], mode)[0]

    def generate_many(
        self, requests: Sequence[tuple[str, Parameters]], mode: Mode = Mode.CONVERGE
    ) -> tuple[Credential, ...]:
        orders = [Order(name=checked(name), parameters=parameters, mode=mode) for name, parameters in requests]

        def staying(records: Records | None) -> list[Credential | None]:
            return [None] * len(orders) if records is None else [_kept(records, order) for order in orders]

        stay = self._turns.read(staying)
        if all(stay):
            return tuple(credential for credential in stay if credential is not None)
        # What may stay is asked again within the transaction, where no other process can change the answer.
        ready = [order if kept else self._maker.prepare(order) for order, kept in zip(orders, stay, strict=True)]
        return self._turns.write(
            lambda records: tuple(rotation.as_trusted(records, self._maker.fill(records, order)) for order in ready)
        )

    def introduce_authority(self, name: str) -> Credential:
        name = checked(name)
        return self._turns.write(lambda records: rotation.introduce(records, self._maker, name))

    def switch_authority(self, name: str) -> Credential:
        name = checked(name)
        return self._turns.write(lambda records: rotation.switch(records, name))

    def retire_authority(self, name: str) -> None:
        name = checked(name)
        self._turns.write(lambda records: rotation.retire(records, name))

    def delete(self, name: str) -> None:
        name = checked(name)
        if self._turns.read(lambda records: records is not None and records.holds(name)):
            self._turns.write(lambda records: records.delete(name))

    def find(self, path: str) -> tuple[CredentialSummary, ...]:
        prefix = prefix_of(path)
        return self._turns.read(lambda records: () if records is None else records.below(prefix))

    def close(self) -> None:
        """Close the file.  The store may be used again."""
        self._turns.close()


def _there(found: T | None, name: str) -> T:
    if found is None:
        raise NotFound(f"there is no credential {name}")
    return found


def _kept(records: Records, order: Order) -> Credential | None:
    found = what_stays(records, order)
    return None if found is None else rotation.as_trusted(records, found)


_: type[CredentialStore] = FileCredentialStore
_rotates: type[AuthorityRotation] = FileCredentialStore


def connect(config: FileCredentialsConfig, context: ConnectContext) -> FileCredentialStore:
    """The store that *config* describes.  Touches nothing yet."""
    path = context.base_dir / config.path if config.path else context.state_dir / "credentials.db"
    return FileCredentialStore(path, _key_source(config, context, path), algorithm=config.key_algorithm)


def _key_source(config: FileCredentialsConfig, context: ConnectContext, database: Path) -> KeySource:
    if config.key_env is not None:
        return Passphrase(variable=config.key_env, environment=os.environ)
    if config.key_file is not None:
        return KeyFile(path=context.base_dir / config.key_file, database=database)
    return OwnKeyFile(path=database.with_suffix(".key"), database=database)
