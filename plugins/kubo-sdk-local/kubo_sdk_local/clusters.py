"""What the machines of one cluster share: the stemcell, the bridge, the record of whose they are."""

from __future__ import annotations

from attrs import evolve

from kubo_sdk.errors import Conflict, HostError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_local import cgroups, host, host_settings, network, outside
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.records import ClusterRecord, read_cluster, read_machines, write_cluster
from kubo_sdk_local.stemcell import Stemcell
from kubo_sdk_local.storage import locked, remove_empty, remove_tree


def prepare(config: LocalConfig, layout: Layout, stemcell: Stemcell, cluster: ClusterId) -> None:
    """Make what the machines of *cluster* share; cheap when it is there.

    What can be refused is refused first, before the stemcell is built.  The bridge comes last: where it is, all is.
    """
    wanted = ClusterRecord(subnet=config.subnet, outside=config.outside)
    there = _check_record(layout, cluster, wanted)
    made = there is not None and network.has_bridge(layout.bridge(cluster), config.subnet)
    if not made:
        problems = host.problems(config)
        if problems:
            raise HostError("; ".join(problems))
        network.check_subnet(layout.bridge(cluster), config.subnet)
    tree = stemcell.ensure()
    if made:
        return
    with locked(layout.lock(), f"the clusters below {layout.root}"):
        _check_record(layout, cluster, wanted)
        nameservers = outside.nameservers() if config.outside else ()
        write_cluster(layout, cluster, evolve(wanted, nameservers=nameservers))
        host_settings.change(layout, cluster, forward=config.outside)
        outside.ensure_rules(layout, cluster, wanted, tree)
        network.ensure_bridge(layout.bridge(cluster), config.subnet)


def _check_record(layout: Layout, cluster: ClusterId, wanted: ClusterRecord) -> ClusterRecord | None:
    """What is written down about the cluster; Conflict when it is another director's or lives in another network."""
    for path in layout.directors().glob(f"*/{cluster.name}/cluster.json"):
        director = path.parent.parent.name
        if director != cluster.director:
            raise Conflict(
                f"the cluster name {cluster.name!r} belongs to the director {director!r} on this host; "
                "choose another name"
            )
    there = read_cluster(layout, cluster)
    if there is not None and (there.subnet, there.outside) != (wanted.subnet, wanted.outside):
        raise Conflict(
            f"cluster {cluster} was made with the cpi options subnet {there.subnet} and outside {there.outside}, "
            "which cannot change; set them back or delete the cluster first"
        )
    return there


def dispose(layout: Layout, stemcell: Stemcell, cluster: ClusterId) -> None:
    """Remove what `prepare` made for this cluster alone; the cache stays.  Conflict while it has machines."""
    if not layout.directors().is_dir():
        return
    with locked(layout.lock(), f"the clusters below {layout.root}"):
        left = [machine.instance for machine in read_machines(layout, cluster)]
        if left:
            raise Conflict(f"cluster {cluster} still has machines ({', '.join(left)}); delete them first")
        network.remove_bridge(layout.bridge(cluster))
        outside.remove_rules(layout, cluster, read_cluster(layout, cluster), stemcell.tree)
        found = cgroups.hierarchies()
        cgroups.remove_if_empty(found, layout.cgroup(cluster))
        cgroups.remove_if_empty(found, cgroups.PARENT)
        host_settings.restore(layout, cluster)
        remove_tree(layout.cluster(cluster))
        _remove_empty_parents(layout, cluster)


def _remove_empty_parents(layout: Layout, cluster: ClusterId) -> None:
    remove_empty(layout.cluster(cluster).parent)
    for directory in (layout.disks(cluster), *layout.disks(cluster).parents[:2]):
        remove_empty(directory)
    if [path.name for path in layout.directors().iterdir()] == [layout.lock().name]:
        layout.lock().unlink()
        remove_empty(layout.directors())
        remove_empty(layout.root)
