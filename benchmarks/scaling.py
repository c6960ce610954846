"""Measures one size of cluster on the fake cloud, in a process of its own: ``scaling.py WORKERS RUNS`` prints JSON."""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from accounts import Accounts, Spent
from attrs import frozen

from kubo_sdk import Cluster, Plugins
from kubo_sdk.events import Event, PlanMade, StepFinished
from kubo_sdk.model.spec import NetworkSpec
from kubo_sdk.observe import observe
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized

ETCD, MASTERS = 3, 2
# Wide enough for a /24 for each of a few thousand workers.
NETWORK = NetworkSpec(pods=IPv4Network("10.128.0.0/12"))
LOST_SHARE = 100


@frozen(kw_only=True)
class Site:
    """One cloud without latency, and clusters of it in any size."""

    cloud: FakeCloud
    accounts: Accounts
    home: Path

    def cluster(self, workers: int, observers: tuple[Callable[[Event], None], ...] = ()) -> Cluster:
        groups = sized(etcd=ETCD, master=MASTERS, worker=workers, proxy=0)
        return Cluster(
            fake_spec(self.home / "release", name="scale", network=NETWORK, instance_groups=groups),
            plugins=Plugins(self.cloud.plugin(), load_installed=False),
            clock=self.cloud.clock,
            state_dir=self.home / "state",
            cache_dir=self.home / "cache",
            observers=observers,
        )

    def timed(self, act: Callable[[], Any]) -> Spent:
        gc.collect()
        with self.accounts.phase() as spent:
            act()
        return spent()


def measure(workers: int, runs: int) -> dict[str, Any]:
    """Every figure of one size."""
    accounts = Accounts()
    with FakeCloud(clock=accounts.clock, boot_seconds=0.0) as cloud, tempfile.TemporaryDirectory() as home:
        accounts.install(cloud)
        site = Site(cloud=cloud, accounts=accounts, home=Path(home))
        start = _peak_mb()
        nodes = workers + ETCD + MASTERS
        deployed = _operation(site, workers, Cluster.deploy)
        deployed["sdk_cpu_ms_per_node"] = round(deployed["sdk_cpu_seconds"] * 1000 / nodes, 2)
        found = {
            "workers": workers,
            "nodes": nodes,
            "deploy": deployed,
            "plan": _planning(site, workers, runs),
            "add_one": _adding(site, workers + 1, runs),
            "heal": _healing(site, workers + 1),
        }
        return {**found, "memory": {"before_mb": start, "peak_mb": _peak_mb()}}


def _operation(site: Site, workers: int, act: Callable[[Cluster], object]) -> dict[str, Any]:
    """An operation with its steps, and whom they were about."""
    events: list[Event] = []
    cluster = site.cluster(workers, (events.append,))
    spent = site.timed(lambda: act(cluster))
    made = [event.steps for event in events if isinstance(event, PlanMade)]
    touched = {event.instance for event in events if isinstance(event, StepFinished) and event.instance}
    return {**spent.to_dict(), "steps": sum(made), "instances_touched": len(touched)}


def _planning(site: Site, workers: int, runs: int) -> dict[str, Any]:
    """Planning while nothing changed: the first time, when no certificate has been read yet; then again, in its two
    parts, the looking and the pure decision.
    """
    cluster = site.cluster(workers)
    first = site.timed(lambda: _nothing_to_do(cluster))
    again = [site.timed(lambda: _nothing_to_do(cluster)) for _ in range(runs)]
    median = _median(again)
    observation, _ = observe(cluster.spec, cluster.providers, cluster.releases)
    pure = []
    for _ in range(runs):
        began = time.thread_time()
        plan_deploy(cluster.spec, observation, cluster.providers.abilities)
        pure.append(time.thread_time() - began)
    decision = statistics.median(pure)
    return {
        **first.to_dict(),
        "again": median.to_dict(),
        "wall_seconds_of_runs": sorted(round(spent.wall, 3) for spent in (first, *again)),
        "looking_sdk_cpu_seconds": round(median.sdk - decision, 3),
        "plan_deploy_cpu_seconds": round(decision, 4),
    }


def _adding(site: Site, workers: int, runs: int) -> dict[str, Any]:
    """One worker more.  The looking is what planning it costs; the rest is the work itself."""
    cluster = site.cluster(workers)
    looking = _median([site.timed(cluster.plan) for _ in range(runs)])
    added = _operation(site, workers, Cluster.deploy)
    beyond = added["sdk_cpu_seconds"] - looking.sdk
    return {
        **added,
        "looking_sdk_cpu_seconds": round(looking.sdk, 3),
        "beyond_looking_sdk_cpu_seconds": round(beyond, 3),
    }


def _median(several: list[Spent]) -> Spent:
    return sorted(several, key=lambda spent: spent.cpu)[len(several) // 2]


def _nothing_to_do(cluster: Cluster) -> None:
    plan = cluster.plan()
    if not plan.is_empty:
        raise SystemExit(f"the deployed cluster is not as wished for: {plan}")


def _healing(site: Site, workers: int) -> dict[str, Any]:
    """One machine of a hundred is lost and replaced."""
    lost = [f"worker/{number * LOST_SHARE}" for number in range(max(1, workers // LOST_SHARE))]
    for instance in lost:
        site.cloud.machines[instance].kill()
    healed = _operation(site, workers, lambda cluster: cluster.heal(auto=True))
    return {"machines_lost": len(lost), **healed}


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


if __name__ == "__main__":
    json.dump(measure(int(sys.argv[1]), int(sys.argv[2])), sys.stdout)
