"""Settings that a running cluster keeps: pods, Services, names and certificates were made with them.  Pure.

They are kept in the cluster's own record, in plain words, so that whoever changes one can be told what it was.
"""

from __future__ import annotations

import json

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.situation import Situation

# The key of the record.
SETTINGS = "settings"

_WHY = {
    "network.pods": "its pods have addresses of it",
    "network.services": "its Services and certificates have addresses of it",
    "network.domain": "its pods and tokens carry it",
    "zone": "its machines and etcd's members are called by it",
    "kubernetes.node_names": "its Nodes are called by it",
    "overlay": "its pods are connected by it",
}


def lasting_settings(spec: ClusterSpec) -> dict[str, str]:
    """By path in the spec, what a running cluster keeps."""
    return {
        "network.pods": str(spec.network.pods),
        "network.services": str(spec.network.services),
        "network.domain": spec.network.domain,
        "zone": spec.zone,
        "kubernetes.node_names": str(spec.kubernetes.node_names),
        "overlay": spec.overlay.provider,
    }


def recorded_settings(spec: ClusterSpec) -> str:
    """What the cluster's record holds of them."""
    return json.dumps(lasting_settings(spec), sort_keys=True)


def check_settings(situation: Situation) -> None:
    """Raise ConfigError with every setting that differs from what the cluster was made with, as far as it tells."""
    spec, told = situation.spec, situation.observation.recorded.get(SETTINGS)
    if told is None:
        return
    have, wish = json.loads(told), lasting_settings(spec)
    problems = [
        f"{path} of cluster {spec.id} is {have[path]} and cannot become {wish[path]} while it lives: {why}; "
        "put the former value back, or make another cluster with the new one"
        for path, why in _WHY.items()
        if have.get(path, wish[path]) != wish[path]
    ]
    if problems:
        raise ConfigError(problems)
