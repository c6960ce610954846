"""``kubo adopt``: writes the spec of a cluster whose spec is lost, as its store or its machines tell it."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from kubo_sdk.adopting import Found
from kubo_sdk.cli.output import print_json
from kubo_sdk.cluster import Cluster
from kubo_sdk.config.document import read_document
from kubo_sdk.config.written import spec_document
from kubo_sdk.errors import ConfigError, HostError

KEPT = "the one it was last deployed from"
REBUILT = "worked out from its machines; what they do not tell is left at its default, so compare with kubo plan"


def run(arguments: argparse.Namespace) -> int:
    document, problems = read_document(arguments.start, is_spec=False)
    if problems:
        raise ConfigError(problems)
    place = arguments.start.resolve().parent
    cluster = Cluster.adopt(document, state_dir=arguments.state, cache_dir=arguments.cache, base_dir=place)
    assert cluster.adopted is not None, "that is what adopting leaves"
    found = cluster.adopted
    _write(arguments.output, found)
    plan = cluster.plan()
    if arguments.json:
        told = {"result": "done", "command": arguments.command, "cluster": str(found.spec.id)}
        print_json({**told, "file": str(arguments.output), "kept": found.kept, "plan": plan.to_dict()})
    else:
        print(f"{arguments.output} has the spec of cluster {found.spec.id}: {KEPT if found.kept else REBUILT}")
        print(plan)
    return 0


def _write(path: Path, found: Found) -> None:
    text = yaml.safe_dump(spec_document(found.spec, defaults=False), sort_keys=False)
    try:
        with path.open("x") as file:
            file.write(f"# Adopted: {KEPT if found.kept else REBUILT}.\n{text}")
    except FileExistsError:
        raise ConfigError([f"{path} is there already; name another file with --output"]) from None
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}; name another file with --output") from None
