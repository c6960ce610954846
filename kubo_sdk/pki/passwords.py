"""Makes passwords: letters and digits, nothing that a shell, a URL or YAML would stumble over."""

from __future__ import annotations

import secrets
import string

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret

CLASSES = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
LETTERS_OF_EACH = 2
SHORTEST = LETTERS_OF_EACH * len(CLASSES)
LONGEST = 200


def random_password(length: int) -> Secret:
    """*length* characters, at least two of each class.  ConfigError when *length* is not within 6 to 200."""
    if not SHORTEST <= length <= LONGEST:
        raise ConfigError([f"a password of {length} characters cannot be made; ask for {SHORTEST} to {LONGEST}"])
    alphabet = "".join(CLASSES)
    # Drawing again keeps every allowed password equally likely; placing the required characters first would not.
    while True:
        drawn = Secret("".join(secrets.choice(alphabet) for _ in range(length)))
        if _has_enough_of_each(drawn):
            return drawn


def _has_enough_of_each(password: Secret) -> bool:
    return all(sum(letter in letters for letter in password.reveal()) >= LETTERS_OF_EACH for letters in CLASSES)
