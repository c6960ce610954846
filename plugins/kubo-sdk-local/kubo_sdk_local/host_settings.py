"""The few settings of the host itself that clusters need changed: written down, and put back after the last cluster.

Settings are named as below /proc/sys.  Those below ``net/`` belong to the network namespace of the calling thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubo_sdk.model.instance import ClusterId
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.storage import read_json, write_json

# Every systemd, kubelet and API server watches files; Debian's 128 watchers for all of root are two clusters' worth.
_AT_LEAST = (("fs/inotify/max_user_instances", 8192), ("fs/inotify/max_user_watches", 524288))
_FORWARD = "net/ipv4/ip_forward"


def change(layout: Layout, cluster: ClusterId, *, forward: bool) -> None:
    """Raise the settings for *cluster*; the caller holds the layout's lock."""
    for name, least in _AT_LEAST:
        if int(_read(name)) < least:
            _change(layout, cluster, name, str(least))
        else:
            _share(layout, cluster, name)
    if forward and _read(_FORWARD) == "0":
        _change(layout, cluster, _FORWARD, "1")
    elif forward:
        _share(layout, cluster, _FORWARD)


def restore(layout: Layout, cluster: ClusterId) -> None:
    """Put back what no other cluster needs any more; the caller holds the layout's lock."""
    records = _records(layout)
    for key, record in list(records.items()):
        users = [user for user in record["users"] if user != str(cluster)]
        if users == record["users"]:
            continue
        name = key.partition(":")[2]
        if users:
            record["users"] = users
            continue
        # Somebody who set it since then meant it; another network namespace is not where it was changed.
        if key == _key(name) and _read(name) == record["set"]:
            _write(name, record["was"])
        del records[key]
    _keep(layout, records)


def _change(layout: Layout, cluster: ClusterId, name: str, value: str) -> None:
    records = _records(layout)
    known = records.get(_key(name))
    was = known["was"] if known else _read(name)
    users = sorted({str(cluster), *(known["users"] if known else ())})
    _keep(layout, {**records, _key(name): {"was": was, "set": value, "users": users}})
    _write(name, value)


def _share(layout: Layout, cluster: ClusterId, name: str) -> None:
    """Nothing to change, but when another cluster changed it, it stays until both are gone."""
    records = _records(layout)
    known = records.get(_key(name))
    if known is not None:
        known["users"] = sorted({str(cluster), *known["users"]})
        _keep(layout, records)


def _key(name: str) -> str:
    namespace = Path("/proc/thread-self/ns/net").stat().st_ino if name.startswith("net/") else ""
    return f"{namespace}:{name}"


def _file(layout: Layout) -> Path:
    return layout.directors() / ".host-settings.json"


def _records(layout: Layout) -> dict[str, Any]:
    return read_json(_file(layout)) or {}


def _keep(layout: Layout, records: dict[str, Any]) -> None:
    if records:
        write_json(_file(layout), records)
    else:
        _file(layout).unlink(missing_ok=True)


def _read(name: str) -> str:
    return (Path("/proc/sys") / name).read_text().strip()


def _write(name: str, value: str) -> None:
    (Path("/proc/sys") / name).write_text(value)
