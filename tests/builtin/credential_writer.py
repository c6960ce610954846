"""A process that works on a file credential store until it is done or killed.  Run by the concurrency tests.

Arguments: what to do, the store's directory, a name of its own, how often.  It prints ``ready``, waits for a line on
standard input, and then prints a line for whatever the store has acknowledged.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kubo_sdk.builtin.file_credentials.key_file import OwnKeyFile
from kubo_sdk.builtin.file_credentials.store import FileCredentialStore
from kubo_sdk.ports.credentials import CertificateParameters, PasswordParameters


def say(*words: object) -> None:
    print(*words, flush=True)


def agree(store: FileCredentialStore, number: int) -> None:
    """Generate the same names as everybody else."""
    ca = CertificateParameters(common_name=f"ca {number}", is_ca=True)
    leaf = CertificateParameters(common_name="leaf", ca=f"/k/c/ca-{number}")
    made = store.generate_many([(f"/k/c/ca-{number}", ca), (f"/k/c/leaf-{number}", leaf)])
    say(*(credential.version for credential in made))


def write(store: FileCredentialStore, number: int, own: str) -> None:
    """Add versions and names, each acknowledged."""
    for name in (f"/k/{own}/{number}", "/k/shared"):
        made = store.generate(name, PasswordParameters(length=20 + number % 50))
        say(made.name, made.version)


def churn(store: FileCredentialStore, number: int, own: str) -> None:
    """Make the only credentials of the store and delete them, so that its files come and go."""
    name = f"/k/{own}/{number}"
    made = store.generate(name, PasswordParameters())
    if store.get(name) != made:
        raise SystemExit(f"{name} was acknowledged and is lost")
    store.delete(name)
    if store.find(f"/k/{own}"):
        raise SystemExit(f"{name} was deleted and is back")
    say(name)


def main(what: str, directory: str, own: str, times: str) -> None:
    path = Path(directory) / "credentials.db"
    store = FileCredentialStore(path, OwnKeyFile(path=path.with_suffix(".key"), database=path), busy_seconds=60)
    say("ready")
    sys.stdin.readline()
    for number in range(int(times)):
        match what:
            case "agree":
                agree(store, number)
            case "write":
                write(store, number, own)
            case "churn":
                churn(store, number, own)


if __name__ == "__main__":
    main(*sys.argv[1:])
