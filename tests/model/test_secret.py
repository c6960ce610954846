"""A Secret shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import string
import sys
import traceback

import attrs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.model.secret import MASK, Secret
from kubo_sdk.ports.credentials import Certificate, KeyPair, Text, User

HIDDEN = "correct-horse-battery"

PRINTERS = {
    "repr": repr,
    "str": str,
    "f-string": lambda secret: f"{secret}",
    "f-string with a width": lambda secret: f"{secret:>40}",
    "f-string with !r": lambda secret: f"{secret!r}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "format": lambda secret: "{} {!s}".format(secret, secret),  # noqa: UP032
    "template": lambda secret: string.Template("$secret").substitute(secret=secret),
    "pprint": lambda secret: pprint.pformat({"password": secret}),
    "a list": lambda secret: str([secret]),
    "an exception": lambda secret: str(ValueError(secret)),
    "json with default=str": lambda secret: json.dumps({"password": secret}, default=str),
    "a text": lambda secret: str(Text(text=secret)),
    "a user": lambda secret: repr(User(username="joe", password=secret)),
    "a key pair": lambda secret: repr(KeyPair(public_key="public", private_key=secret)),
    "a certificate": lambda secret: repr(Certificate(certificate="c", private_key=secret, ca="ca")),
    "attrs.asdict": lambda secret: str(attrs.asdict(User(username="joe", password=secret))),
    "attrs.astuple": lambda secret: str(attrs.astuple(User(username="joe", password=secret))),
}


@pytest.mark.parametrize("printer", PRINTERS.values(), ids=PRINTERS)
def test_whoever_prints_it_sees_the_mask_only(printer) -> None:
    shown = printer(Secret(HIDDEN))
    assert HIDDEN not in shown
    assert MASK in shown or json.dumps(MASK) in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_does_not_pickle(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled") as refused:
        pickle.dumps({"deep": [User(username="joe", password=Secret(HIDDEN))]}, protocol)
    assert HIDDEN not in str(refused.value)


@pytest.mark.parametrize("write", [json.dumps, yaml.dump, yaml.safe_dump], ids=["json", "yaml", "safe yaml"])
def test_it_does_not_serialise(write) -> None:
    with pytest.raises((TypeError, yaml.YAMLError)) as refused:
        write({"password": Secret(HIDDEN)})
    assert HIDDEN not in str(refused.value)


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_a_copy_is_the_same_secret(copier) -> None:
    secret = Secret(HIDDEN)
    assert copier(secret) is secret
    assert copier([User(username="joe", password=secret)])[0].password.reveal() == HIDDEN


def test_a_traceback_with_locals_does_not_show_it() -> None:
    def fail(password: Secret) -> None:
        user = User(username="joe", password=password)
        raise RuntimeError(f"cannot log in as {user}")

    with pytest.raises(RuntimeError) as failed:
        fail(Secret(HIDDEN))
    shown = "".join(traceback.TracebackException.from_exception(failed.value, capture_locals=True).format())
    assert "password = " in shown
    assert HIDDEN not in shown.replace("fail(Secret(HIDDEN))", "")


def test_the_log_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("kubo_sdk.test").warning("password %s, again %r", Secret(HIDDEN), Secret(HIDDEN))
    assert MASK in caplog.text
    assert HIDDEN not in caplog.text


def test_it_has_no_dictionary_to_look_into() -> None:
    with pytest.raises(TypeError):
        vars(Secret(HIDDEN))


def test_bytes_that_are_no_text_do_not_leak_through_the_error() -> None:
    with pytest.raises(ValueError, match=r"reveal_bytes\(\)") as refused:
        Secret(b"\xff" + HIDDEN.encode()).reveal()
    assert refused.value.__context__ is None
    shown = "".join(traceback.TracebackException.from_exception(refused.value, capture_locals=True).format())
    assert HIDDEN not in shown.replace("HIDDEN.encode()", "")


@pytest.mark.parametrize("value", [12345, None, ["a"], 1.5], ids=str)
def test_it_holds_text_or_bytes_and_nothing_else(value) -> None:
    with pytest.raises(TypeError, match="text or bytes"):
        Secret(value)


def test_text_with_undecodable_bytes_from_the_environment_is_taken_without_an_error() -> None:
    assert Secret("pass\udcff").reveal_bytes() == b"pass\xff"


@given(st.text(st.characters(codec="utf-8")))
def test_text_comes_back_as_it_was(text: str) -> None:
    assert Secret(text).reveal() == text
    assert Secret(text).reveal_bytes() == text.encode()


@given(st.binary(), st.binary())
def test_secrets_are_equal_when_their_bytes_are(one: bytes, other: bytes) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert (hash(Secret(one)) == hash(Secret(other))) is (one == other)
    assert Secret(one) != one
    assert len(Secret(one)) == len(one)


def test_it_is_smaller_than_what_could_hold_more_than_its_bytes() -> None:
    with pytest.raises(AttributeError):
        Secret(HIDDEN).comment = HIDDEN  # type: ignore[attr-defined]
    assert sys.getsizeof(Secret(HIDDEN)) < 100
