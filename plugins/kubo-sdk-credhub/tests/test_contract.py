"""The store keeps every promise of the port: by UAA client, by UAA user, by client certificate, and on a real server.

``KUBO_CREDHUB_OPTIONS`` names a YAML file with the options of a spec's credential_store; then the suite runs against
that server too.  It works below ``/contract`` there and deletes what it made.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.testing.contracts.credential_store import CredentialStoreContract
from kubo_sdk_credhub.keeping.store import CredhubStore

from .conftest import connect_with
from .standin.site import LOGINS, Site

REAL = os.environ.get("KUBO_CREDHUB_OPTIONS", "")
URL = os.environ.get("KUBO_CREDHUB_URL", "")


@pytest.mark.parametrize("login", LOGINS)
class TestOnTheStandIn(CredentialStoreContract):
    @pytest.fixture
    def store(self, shared_site: Site, login: str, tmp_path: Path) -> CredhubStore:
        return connect_with(shared_site.options(login), tmp_path)

    @pytest.fixture
    def reconnected(self, shared_site: Site, login: str, tmp_path: Path) -> CredentialStore:
        return connect_with(shared_site.options(login), tmp_path)


def real_options() -> tuple[dict[str, object], Path]:
    """The options for the real server, from a file or, where only its URL is given, from the CLI's own variables."""
    if REAL:
        path = Path(REAL)
        return dict(yaml.safe_load(path.read_text())), path.parent
    options: dict[str, object] = {"url": URL, "client": os.environ.get("CREDHUB_CLIENT", "")}
    if ca := os.environ.get("CREDHUB_CA_CERT"):
        options["ca_file"] = ca
    return {**options, "client_secret": {"variable": "CREDHUB_SECRET"}}, Path.cwd()


@pytest.mark.skipif(not (REAL or URL), reason="neither KUBO_CREDHUB_URL nor KUBO_CREDHUB_OPTIONS names a real CredHub")
class TestOnARealServer(CredentialStoreContract):
    @pytest.fixture
    def store(self) -> CredhubStore:
        return connect_with(*real_options())

    @pytest.fixture
    def reconnected(self) -> CredentialStore:
        return connect_with(*real_options())
