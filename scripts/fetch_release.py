"""Puts the Kubernetes software of a spec into the cache: fetch_release.py SPEC CACHE.  At once when it is there."""

from __future__ import annotations

import sys
from pathlib import Path

from kubo_sdk import Cluster
from kubo_sdk.errors import KuboError


def main(spec: str, cache: str) -> int:
    cluster = Cluster.load(spec, cache_dir=Path(cache))
    try:
        release = cluster.releases.fetch(cluster.spec.kubernetes.version, lambda line: print(f"  {line}", flush=True))
    except KuboError as error:
        print(f"fetch_release: {error}", file=sys.stderr)
        return error.exit_code
    print(f"  Kubernetes {release.version} is in {release.tree}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
