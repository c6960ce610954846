"""A spec that was written down is read again as the same."""

from __future__ import annotations

import json

import pytest
import yaml

from kubo_sdk.config import from_mapping
from kubo_sdk.config.written import spec_document

SMALL = {"name": "small", "kubernetes": {"version": "1.20.2"}}
LARGE = {
    "name": "large",
    "director": "west",
    "zone": "example.org",
    "kubernetes": {
        "version": "1.30.2",
        "source": {"provider": "directory", "path": "/srv/kubernetes"},
        "node_names": "instance",
        "api_port": 6443,
        "audit": False,
        "extra_args": {"kubelet": {"max-pods": "50"}},
    },
    "network": {"pods": "10.0.0.0/16", "services": "10.1.0.0/24", "node_ports": "31000-31999", "domain": "c.local"},
    "instance_groups": [
        {"name": "etcd", "role": "etcd", "instances": 3, "azs": ["a", "b", "c"], "persistent_disk_mb": 512},
        {"name": "master", "role": "master", "instances": 2, "vm": {"cpus": 2, "cloud_properties": {"kind": "m5"}}},
        {"name": "pool", "role": "worker", "instances": 4, "labels": {"disk": "ssd"}},
        {"name": "proxy", "role": "proxy", "instances": 1},
    ],
    "cpi": {"provider": "local", "subnet": "10.99.0.0/16"},
    "update": {"max_in_flight": "25%", "drain_timeout_seconds": 7},
    "health": {"attempts": 2, "meltdown": {"count": 3}},
}


@pytest.mark.parametrize("document", [SMALL, LARGE])
@pytest.mark.parametrize("defaults", [True, False])
def test_what_is_written_is_read_as_the_same_spec(document: dict[str, object], defaults: bool) -> None:
    spec = from_mapping(document)
    written = spec_document(spec, defaults=defaults)
    assert from_mapping(json.loads(json.dumps(written))) == spec
    assert from_mapping(yaml.safe_load(yaml.safe_dump(written))) == spec


def test_without_defaults_only_what_the_spec_says_of_its_own_is_written() -> None:
    assert spec_document(from_mapping(SMALL), defaults=False) == SMALL
