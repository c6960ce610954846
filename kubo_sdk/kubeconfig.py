"""The administrator's kubeconfig, made from the credential store and the API endpoint.  Kept nowhere."""

from __future__ import annotations

import base64
import json

from kubo_sdk.errors import NotFound
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.observe import find_machines
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.providers import Providers
from kubo_sdk.steps.endpoints import API


def admin_kubeconfig(spec: ClusterSpec, providers: Providers) -> Secret:
    """JSON, which is YAML too.  NotFound before the first deploy."""
    api = find_machines(spec, providers).endpoints.get(API)
    if api is None:
        raise NotFound(f"the API of cluster {spec.id} has no address; deploy the cluster first")
    value = providers.credential_store.get(spec.id.credential("admin")).value
    if not isinstance(value, Certificate):
        raise NotFound(f"credential {spec.id.credential('admin')} is no certificate; deploy the cluster")
    name = spec.name
    user = f"{name}-admin"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": f"https://{api.host}:{api.port}",
                    "certificate-authority-data": _encode(value.ca.encode()),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _encode(value.certificate.encode()),
                    "client-key-data": _encode(value.private_key.reveal_bytes()),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return Secret(json.dumps(document, indent=2) + "\n")


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode()
