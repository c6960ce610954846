"""``kubo credentials``: moves the credentials of a cluster to another store."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kubo_sdk.cli.operation import Summary, operate
from kubo_sdk.cluster import Cluster
from kubo_sdk.moving import Copied


def run(arguments: argparse.Namespace) -> int:
    copied: list[Copied] = []

    def prepare(cluster: Cluster) -> Callable[[], None]:
        to = Cluster.load(arguments.to, state_dir=arguments.state, cache_dir=arguments.cache)
        words = {"overwrite": arguments.overwrite, "delete_source": arguments.delete_source}
        return lambda: copied.append(cluster.copy_credentials(to, **words))

    def told(cluster: Cluster, _summary: Summary) -> str:
        (done,) = copied
        text = f"cluster {cluster.spec.id}: {len(done.written)} credentials copied, {len(done.kept)} were there already"
        if done.deleted:
            text += f", {len(done.deleted)} deleted from where they were"
        return f"{text}; go on with {arguments.to}: kubo plan -f {arguments.to} must find nothing to do"

    return operate(arguments, prepare=prepare, told=told)
