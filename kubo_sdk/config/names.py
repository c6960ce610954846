"""The rules for names: cluster, director, groups, zones and labels.  Slugs become host names and file names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubo_sdk.config.place import Path
from kubo_sdk.config.problem import Problem
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup

CLUSTER_NAME_LENGTH = 32
GROUP_NAME_LENGTH = 20
DOMAIN_LENGTH = 180  # leaves room for an instance's slug in front

_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?")
_RESERVED_LABELS = ("kubernetes.io", "k8s.io")


def check_names(spec: ClusterSpec) -> Iterator[Problem]:
    """The names of the cluster, its director, its domains and its groups."""
    yield from _dns_label(("name",), spec.name, CLUSTER_NAME_LENGTH)
    yield from _dns_label(("director",), spec.director, CLUSTER_NAME_LENGTH)
    yield from _domain(("zone",), spec.zone)
    yield from _domain(("network", "domain"), spec.network.domain)
    for index, group in enumerate(spec.instance_groups):
        path = ("instance_groups", index)
        yield from _dns_label((*path, "name"), group.name, GROUP_NAME_LENGTH)
        yield from _azs((*path, "azs"), group)
        yield from _labels((*path, "labels"), group)


def _dns_label(path: Path, name: str, longest: int) -> Iterator[Problem]:
    if not _DNS_LABEL.fullmatch(name):
        yield Problem(
            path, f"must be small letters, digits and dashes, with a letter or digit at both ends, not {name!r}"
        )
    elif len(name) > longest:
        yield Problem(path, f"is {len(name)} characters long; choose a name of at most {longest}")


def _domain(path: Path, name: str) -> Iterator[Problem]:
    if not all(_DNS_LABEL.fullmatch(label) and len(label) <= 63 for label in name.split(".")):
        yield Problem(path, f"must be a domain in small letters such as kubo.internal, not {name!r}")
    elif len(name) > DOMAIN_LENGTH:
        yield Problem(path, f"is {len(name)} characters long; choose a domain of at most {DOMAIN_LENGTH}")


def _azs(path: Path, group: InstanceGroup) -> Iterator[Problem]:
    if not group.azs:
        yield Problem(path, "names no availability zone; name at least one, or leave azs out")
    for index, az in enumerate(group.azs):
        if not az or not _is_label_value(az):
            yield Problem(
                (*path, index),
                f"must be an availability zone name of letters, digits, '-', '_' and '.', at most 63, not {az!r}",
            )
        elif az in group.azs[:index]:
            yield Problem((*path, index), f"names {az!r} a second time; name each availability zone once")


def _labels(path: Path, group: InstanceGroup) -> Iterator[Problem]:
    for key, value in group.labels:
        here = (*path, key)
        prefix, _, name = key.rpartition("/")
        if not name or not _is_label_value(name) or (prefix and not _is_domain(prefix)):
            yield Problem(here, "is no label key; write NAME or example.com/NAME")
        elif any(prefix == domain or prefix.endswith("." + domain) for domain in _RESERVED_LABELS):
            yield Problem(here, "is a label that only Kubernetes may set; choose another prefix")
        if not _is_label_value(value):
            yield Problem(here, f"must be letters, digits, '-', '_' and '.', at most 63, not {value!r}")


def _is_label_value(text: str) -> bool:
    return len(text) <= 63 and _LABEL_VALUE.fullmatch(text) is not None


def _is_domain(text: str) -> bool:
    return len(text) <= 253 and all(_DNS_LABEL.fullmatch(label) for label in text.split("."))
