"""StaticConfig: the options of the CPI ``static``."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import ConfigError


@frozen(kw_only=True)
class StaticConfig:
    """Which machines there are, and the key to log in with.

    ``machines`` is the file that lists them (`machines_file`).  The key is what the file says; left out there, it is
    the credential ``login_credential`` of the credential store.  ``connect_timeout``: seconds a machine has to answer
    when it is looked at.  ``boot_timeout``: seconds one may take to come back from a restart.  ``restart_on_release``:
    a machine is restarted after it was given back, so that not even its kernel remembers anything.
    """

    machines: Path
    login_credential: str = ""
    connect_timeout: float = 10.0
    boot_timeout: float = 600.0
    restart_on_release: bool = False


def check(config: StaticConfig) -> None:
    """Raise ConfigError with every option that cannot work."""
    seconds = (("connect_timeout", config.connect_timeout), ("boot_timeout", config.boot_timeout))
    problems = [f"{option}: {value:g} must be more than 0 seconds" for option, value in seconds if value <= 0]
    if config.login_credential and not config.login_credential.startswith("/"):
        problems.append(
            f"login_credential: {config.login_credential!r} must be the full name of a credential, such as /kubo/ssh"
        )
    if problems:
        raise ConfigError([f"cpi static: {problem}" for problem in problems])
