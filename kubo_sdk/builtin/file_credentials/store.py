"""The credential store of the provider ``file``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

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
        return CredentialStoreInfo(key_algorithms=(self._maker.algorithm.value,))

    def get(self, name: str) -> Credential:
        name = checked(name)
        found = self._turns.read(lambda records: None if records is None else records.newest(name))
        if found is None:
            raise NotFound(f"there is no credential {name}")
        return found.credential

    def list_versions(self, name: str) -> tuple[Credential, ...]:
        name = checked(name)
        found = self._turns.read(lambda records: () if records is None else records.versions(name))
        if not found:
            raise NotFound(f"there is no credential {name}")
        return tuple(record.credential for record in found)

    def put(self, name: str, kind: Kind, value: CredentialValue) -> Credential:
        name = checked(name)
        expires_at = check_given(name, kind, value)

        def add(records: Records) -> Credential:
            require_kind(records.newest(name), kind)
            return records.add(name, kind, Payload(value=value), now=self._now(), expires_at=expires_at)

        return self._turns.write(add)

    def generate(self, name: str, parameters: Parameters, mode: Mode = Mode.CONVERGE) -> Credential:
        return self.generate_many([(name, parameters)], mode)[0]

    def generate_many(
        self, requests: Sequence[tuple[str, Parameters]], mode: Mode = Mode.CONVERGE
    ) -> tuple[Credential, ...]:
        orders = [Order(name=checked(name), parameters=parameters, mode=mode) for name, parameters in requests]
        stay = self._turns.read(
            lambda records: [None if records is None else what_stays(records, order) for order in orders]
        )
        kept = tuple(credential for credential in stay if credential is not None)
        if len(kept) == len(orders):
            return kept
        # What may stay is asked again within the transaction, where no other process can change the answer.
        ready = [order if staying else self._maker.prepare(order) for order, staying in zip(orders, stay, strict=True)]
        return self._turns.write(lambda records: tuple(self._maker.fill(records, order) for order in ready))

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


_: type[CredentialStore] = FileCredentialStore


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
