"""What the section backup of a spec may say."""

from __future__ import annotations

from typing import Any

import pytest

from kubo_sdk.config import from_mapping
from kubo_sdk.config.checks import check
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.backup_spec import BackupSpec


def read(backup: Any) -> BackupSpec:
    spec = from_mapping({"name": "demo", "kubernetes": {"version": "1.20.2"}, "backup": backup})
    problems = [str(problem) for problem in check(spec)]
    if problems:
        raise ConfigError(problems)
    return spec.backup


def test_a_directory_and_a_key_are_enough() -> None:
    backup = read({"to": "/var/backups/kubo", "key_file": "backup.key"})
    assert (backup.every_minutes, backup.keep.hourly, backup.keep.daily) == (15, 168, 90)


def test_a_bucket_of_another_server() -> None:
    backup = read(
        {"to": "s3://bucket/some/prefix", "key_env": "SECRET", "s3": {"endpoint": "https://minio.local:9000"}}
    )
    assert backup.s3.endpoint == "https://minio.local:9000"


@pytest.mark.parametrize(
    ("backup", "sentence"),
    [
        ({"to": "here"}, "has no key_file and no key_env; name one, backups are always sealed"),
        ({"to": "here", "key_file": "k", "key_env": "K"}, "and key_file exclude each other"),
        ({"key_file": "k"}, "is missing; it must be a directory, or s3://BUCKET/PREFIX"),
        ({"to": "s3://", "key_file": "k"}, "names no bucket"),
        ({"to": "gs://bucket", "key_file": "k"}, "it must be a directory, or s3://BUCKET/PREFIX"),
        ({"to": "here", "key_file": "k", "every_minutes": -1}, "must not be negative, and is -1"),
        ({"to": "here", "key_file": "k", "keep": {"daily": -1}}, "must not be negative, and is -1"),
        ({"to": "here", "key_file": "k", "keep": {"latest": 0, "hourly": 0, "daily": 0}}, "keeps nothing"),
        ({"to": "s3://bucket", "key_file": "k", "s3": {"endpoint": "minio"}}, "write it as https://HOST"),
        ({"to": "here", "key_env": "my secret phrase"}, "must be the name of an environment variable"),
        ({"to": "here", "key_file": "k", "keeps": {}}, "keeps"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(backup: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(backup)
    assert sentence in str(refused.value)
