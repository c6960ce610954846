"""What the spec may say about the file credential store."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from kubo_sdk.pki.algorithm import KeyAlgorithm


@frozen(kw_only=True)
class FileCredentialsConfig:
    """Options of the provider ``file``.

    ``path``: the database, by default ``credentials.db`` in the state directory.
    ``key_file``: the key that opens it, made on first use and never overwritten.  By default it lies beside the
    database (``credentials.key``) and goes with its last credential; a key file named here stays.
    ``key_env``: instead of a key file, the name of an environment variable that holds a passphrase.
    ``key_algorithm``: what the keys of new certificates are.
    """

    path: Path | None = None
    key_file: Path | None = None
    key_env: str | None = None
    key_algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256

    def __attrs_post_init__(self) -> None:
        if self.key_file is not None and self.key_env is not None:
            raise ValueError("key_file and key_env exclude each other; give one of them")
