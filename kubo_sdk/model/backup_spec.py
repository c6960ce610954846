"""BackupSpec: where backups go, how often they are taken, and which are kept."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen(kw_only=True)
class KeepSpec:
    """The scheduled backups that stay: the ``latest`` so many, and one for each of the last hours and days."""

    latest: int = 8
    hourly: int = 168
    daily: int = 90


@frozen(kw_only=True)
class S3Spec:
    """How the bucket is reached.  An empty ``endpoint`` is Amazon's own; keys are read from the environment."""

    endpoint: str = ""
    region: str = "us-east-1"
    ca_file: Path | None = None
    access_key_env: str = "AWS_ACCESS_KEY_ID"
    secret_key_env: str = "AWS_SECRET_ACCESS_KEY"
    session_token_env: str = "AWS_SESSION_TOKEN"


@frozen(kw_only=True)
class BackupSpec:
    """``to``: a directory, or ``s3://BUCKET/PREFIX``; empty for no backups.

    ``key_file`` or ``key_env`` (the name of an environment variable with a passphrase) is what they are sealed with.
    ``every_minutes``: how often the monitor takes one; 0 for never.
    """

    to: str = ""
    key_file: Path | None = None
    key_env: str = ""
    every_minutes: int = 15
    keep: KeepSpec = KeepSpec()
    s3: S3Spec = S3Spec()
