"""No secret survives in what a CPI logs or says."""

from __future__ import annotations

import base64
import json

import pytest

from kubo_sdk_boshcpi.redaction import MASK, Redactor, sensitive

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nabcdefghijkl\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"password": "s3cret-word"}', "password"),
        (':password=>"s3cret-word", :user=>"admin"', "admin"),
        ('"{\\"password\\": \\"s3cret-word\\"}"', "password"),
        ("secret_access_key=s3cret-word region=eu", "region=eu"),
        ("AWS_SECRET_ACCESS_KEY: s3cret-word", "AWS_SECRET_ACCESS_KEY"),
        ("GET https://admin:s3cret-word@cloud/v2", "cloud/v2"),
        ("Authorization: Bearer s3cret-word", "Bearer"),
        (PEM.replace("abcdefghijkl", "s3cret-word"), MASK),
        ("nats://nats:s3cret-word@10.0.0.1:4222", "10.0.0.1"),
    ],
)
def test_what_surrounds_a_secret_gives_it_away(text: str, kept: str) -> None:
    redacted = Redactor().text(text)
    assert "s3cret-word" not in redacted
    assert kept in redacted


@pytest.mark.parametrize(
    "written",
    [
        lambda value: value,
        json.dumps,
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: f"x{value.splitlines()[1]}y",
    ],
)
def test_a_known_secret_is_found_however_it_is_written(written: object) -> None:
    value = 'first"line\nsecond&line'
    text = written(value)  # type: ignore[operator]
    redacted = Redactor((value,)).text(f"<{text}>")
    assert "second" not in redacted
    assert MASK in redacted


def test_secrets_of_a_request_are_found_by_their_keys() -> None:
    content = [{"vcenters": [{"host": "h", "password": "one"}]}, {"tokens": ["two", {"x": "three"}]}, "plain"]
    assert set(sensitive(content)) == {"one", "two", "three"}


def test_text_without_secrets_stays_as_it_is() -> None:
    text = "create_vm took 3 s; token bucket is full: wait\nserver i-123 at 10.0.0.1:22 is up"
    assert Redactor(("hunter2",)).text(text).startswith("create_vm took 3 s; token bucket is full")
    assert Redactor().text("server i-123 at 10.0.0.1:22 is up") == "server i-123 at 10.0.0.1:22 is up"
