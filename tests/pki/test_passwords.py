"""Passwords: long enough, of every class, different each time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.errors import ConfigError
from kubo_sdk.pki.passwords import CLASSES, LONGEST, SHORTEST, random_password


@given(st.integers(SHORTEST, LONGEST))
def test_a_password_has_its_length_and_two_letters_of_each_class(length: int) -> None:
    password = random_password(length).reveal()
    assert len(password) == length
    for letters in CLASSES:
        assert sum(letter in letters for letter in password) >= 2
    assert set(password) <= set("".join(CLASSES))


def test_passwords_do_not_repeat_and_use_every_letter() -> None:
    made = [random_password(30).reveal() for _ in range(200)]
    assert len(set(made)) == 200
    assert set("".join(made)) == set("".join(CLASSES))


@pytest.mark.parametrize("length", [0, SHORTEST - 1, LONGEST + 1, -1])
def test_a_length_that_cannot_be_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match=f"{SHORTEST} to {LONGEST}"):
        random_password(length)
