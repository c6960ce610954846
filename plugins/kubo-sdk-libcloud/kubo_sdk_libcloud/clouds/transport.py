"""How requests travel: the trusted authorities and the time limit of one config.

libcloud keeps the path of the authorities and the switch for their check in one place of the whole process
(`libcloud.security`).  Two clouds of one process would share it, so each driver gets a connection class of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from libcloud.http import LibcloudConnection

REQUEST_SECONDS = 60.0


def connection_class(ca_file: Path | None) -> type[Any]:
    """The class of connections that trust *ca_file*, or else what this host trusts.  The check is never off."""

    class Connection(LibcloudConnection):  # type: ignore[misc]  # libcloud has no types
        def __init__(self, host: str, port: int, secure: bool | None = None, **options: Any) -> None:
            options["timeout"] = options.get("timeout") or REQUEST_SECONDS
            super().__init__(host, port, secure=secure, **options)
            # libcloud takes the scheme from the port where that is 443.
            default = 443 if secure or (secure is None and port == 443) else 80
            scheme = "https" if default == 443 else "http"
            self.host = f"{scheme}://{host}" if port == default else f"{scheme}://{host}:{port}"

        def _setup_verify(self) -> None:
            self.verify = True

        def _setup_ca_cert(self, **_ignored: Any) -> None:
            self.ca_cert = str(ca_file) if ca_file else None

    return Connection


def existing(ca_file: Path | None, base_dir: Path) -> Path | None:
    """*ca_file* as an absolute path; relative ones start at *base_dir*."""
    return (base_dir / ca_file) if ca_file else None
