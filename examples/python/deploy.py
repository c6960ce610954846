"""Deploys a cluster and tells what happens: deploy.py SPEC [STATE-DIRECTORY]."""

import sys
from pathlib import Path

from kubo_sdk import Cluster, Event
from kubo_sdk.events import StepFinished


def tell(event: Event) -> None:
    if isinstance(event, StepFinished):
        print(f"{event.seconds:5.1f} s  {event.title}")


spec, state_dir = (*sys.argv[1:], "/var/lib/kubo")[:2]
cluster = Cluster.load(spec, state_dir=Path(state_dir), observers=[tell])
print(cluster.plan())  # changes nothing
cluster.deploy()  # may be called again at any time
print(cluster.status().verdict)
print("nothing left to do:", cluster.plan().is_empty)
