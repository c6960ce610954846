"""What can be wrong with the spec's section ``backup``.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from kubo_sdk.config.problem import Problem
from kubo_sdk.model.spec import ClusterSpec

S3 = "s3://"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def check_backup(spec: ClusterSpec) -> Iterator[Problem]:
    """Every problem of the section by itself; no place is looked at."""
    backup = spec.backup
    if backup.key_file is not None and backup.key_env:
        yield Problem(("backup", "key_env"), "and key_file exclude each other; give one of them")
    if backup.to and backup.key_file is None and not backup.key_env:
        yield Problem(("backup",), "has no key_file and no key_env; name one, backups are always sealed")
    if not backup.to and backup != type(backup)():
        yield Problem(("backup", "to"), "is missing; it must be a directory, or s3://BUCKET/PREFIX")
    if backup.to.startswith(S3) and not _BUCKET.fullmatch(bucket_and_prefix(backup.to)[0]):
        yield Problem(("backup", "to"), f"is {backup.to!r}, which names no bucket; write s3://BUCKET/PREFIX")
    if backup.to and "://" in backup.to and not backup.to.startswith(S3):
        yield Problem(("backup", "to"), f"is {backup.to!r}; it must be a directory, or s3://BUCKET/PREFIX")
    yield from _check_numbers(spec)
    yield from _check_s3(spec)


def bucket_and_prefix(place: str) -> tuple[str, str]:
    """``("bucket", "some/prefix")`` of ``s3://bucket/some/prefix/``."""
    bucket, _, prefix = place.removeprefix(S3).partition("/")
    return bucket, prefix.strip("/")


def _check_numbers(spec: ClusterSpec) -> Iterator[Problem]:
    keep = spec.backup.keep
    for path, number in (
        (("every_minutes",), spec.backup.every_minutes),
        (("keep", "latest"), keep.latest),
        (("keep", "hourly"), keep.hourly),
        (("keep", "daily"), keep.daily),
    ):
        if number < 0:
            yield Problem(("backup", *path), f"must not be negative, and is {number}")
    if keep.latest == keep.hourly == keep.daily == 0:
        yield Problem(("backup", "keep"), "keeps nothing; give latest, hourly or daily at least 1")


def _check_s3(spec: ClusterSpec) -> Iterator[Problem]:
    s3 = spec.backup.s3
    if s3.endpoint:
        parts = urlsplit(s3.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            yield Problem(
                ("backup", "s3", "endpoint"), f"is {s3.endpoint!r}; write it as https://HOST or https://HOST:PORT"
            )
    names = (
        (("backup", "key_env"), spec.backup.key_env),
        (("backup", "s3", "access_key_env"), s3.access_key_env),
        (("backup", "s3", "secret_key_env"), s3.secret_key_env),
        (("backup", "s3", "session_token_env"), s3.session_token_env),
    )
    for path, name in names:
        if name and not _VARIABLE.fullmatch(name):
            yield Problem(path, "must be the name of an environment variable, not the secret itself")
