"""The spec a cluster was last made from, kept in its credential store for a director that lost its files.

It lies beside the credentials because without those nobody can adopt a cluster anyway, and because a store works while
the cluster's API is down.
"""

from __future__ import annotations

import json
from typing import Any

from kubo_sdk.config.written import spec_document
from kubo_sdk.errors import NotFound, ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.credentials import CredentialStore, Kind, Text

LEAF = "cluster-spec"


def keep_spec(store: CredentialStore, spec: ClusterSpec) -> None:
    """Keep what *spec* says, unless the store has just that."""
    document = spec_document(spec)
    if kept_spec(store, spec.id) != json.loads(json.dumps(document)):
        store.put(spec.id.credential(LEAF), Kind.JSON, Text(text=Secret(json.dumps(document, sort_keys=True))))


def kept_spec(store: CredentialStore, cluster: ClusterId) -> dict[str, Any] | None:
    """The spec as a mapping that `kubo_sdk.config.from_mapping` reads; None where none is kept.

    ProviderError when it cannot be understood.
    """
    try:
        credential = store.get(cluster.credential(LEAF))
    except NotFound:
        return None
    try:
        assert isinstance(credential.value, Text)
        kept = json.loads(credential.value.text.reveal_bytes())
        return dict(kept)
    except (AssertionError, TypeError, ValueError):
        raise ProviderError(f"{credential.name} holds no spec of a cluster; delete that credential") from None
