"""``kubo status``: how the cluster and each instance is."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.output import print_json, print_table
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.model.status import ClusterStatus, InstanceStatus

NOT_HEALTHY = 10
HEADERS = ("INSTANCE", "ROLE", "STATE", "ADDRESS", "AZ", "FACTS")


def run(arguments: argparse.Namespace) -> int:
    status = open_cluster(arguments).status()
    if arguments.json:
        print_json(status.to_dict())
    else:
        show(status)
    return 0 if status.healthy else NOT_HEALTHY


def show(status: ClusterStatus) -> None:
    """The verdict first, then a row for each instance."""
    print(f"{status.cluster}  Kubernetes {status.kubernetes}  {status.endpoint}".rstrip())
    print(status.verdict)
    if status.instances:
        ill = {number: "red" for number, instance in enumerate(status.instances) if not instance.healthy}
        print_table(HEADERS, [row(instance) for instance in status.instances], styles=ill)


def row(instance: InstanceStatus) -> tuple[str, ...]:
    """The cells of one instance."""
    facts = ", ".join(f"{source}: {fact}" for source, fact in instance.facts.items())
    return (instance.instance, instance.role, instance.state, instance.address, instance.az, facts)
