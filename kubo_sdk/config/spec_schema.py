"""How the spec's own types are written: the forms that differ from a plain mapping of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from kubo_sdk.config.kinds import phrase, shown
from kubo_sdk.config.place import Place, Section, same_place
from kubo_sdk.config.structure import BAD, Reader
from kubo_sdk.config.update import read_in_flight
from kubo_sdk.model.backup_spec import BackupSpec, KeepSpec, S3Spec
from kubo_sdk.model.instance import Role
from kubo_sdk.model.preparation_spec import PackagesSpec, PreparationSpec, ProxySpec, RegistrySpec
from kubo_sdk.model.spec import (
    ClusterSpec,
    HealthSpec,
    InFlight,
    InstanceGroup,
    KubernetesSpec,
    MeltdownSpec,
    NetworkSpec,
    ProviderChoice,
    UpdateSpec,
    VmSize,
    default_groups,
)
from kubo_sdk.model.version import OLDEST_MINOR, KubernetesVersion


def spec_reader() -> Reader:
    """A reader that knows every form a cluster.yml may use."""
    return Reader(
        special={
            ProviderChoice: _read_choice,
            KubernetesVersion: _read_version,
            InstanceGroup: _read_group,
            (InstanceGroup, "labels"): _read_labels,
            (KubernetesSpec, "extra_args"): _read_extra_args,
            (NetworkSpec, "node_ports"): _read_node_ports,
            InFlight: read_in_flight,
        },
        placeholders=_placeholders(),
    )


def _placeholders() -> Mapping[Any, Any]:
    """Right values that stand in for wrong ones.  What is derived from one of them is never reported."""
    version = KubernetesVersion(1, OLDEST_MINOR, 0)
    group = InstanceGroup(name="group", role=Role.WORKER, instances=1)
    choice = ProviderChoice(provider="unknown")
    names = ("cpi", "credential_store", "dns", "overlay", "ingress", "cluster_dns")
    ports = {(ClusterSpec, port): choice for port in names}
    defaults: dict[Any, Any] = {
        (ClusterSpec, "name"): "cluster",
        (ClusterSpec, "director"): "kubo",
        (ClusterSpec, "zone"): "kubo.internal",
        (ClusterSpec, "kubernetes"): KubernetesSpec(version=version),
        (ClusterSpec, "instance_groups"): default_groups(),
        (ClusterSpec, "network"): NetworkSpec(),
        (ClusterSpec, "health"): HealthSpec(),
        (ClusterSpec, "update"): UpdateSpec(),
        (ClusterSpec, "backup"): BackupSpec(),
        (ClusterSpec, "preparation"): PreparationSpec(),
        InstanceGroup: group,
        RegistrySpec: RegistrySpec(host="registry"),
    }
    sections = (NetworkSpec(), HealthSpec(), MeltdownSpec(), UpdateSpec(), BackupSpec(), KeepSpec(), S3Spec())
    preparation = (PreparationSpec(), PackagesSpec(), ProxySpec(), RegistrySpec(host="registry"))
    parts = (KubernetesSpec(version=version), *sections, *preparation, group, VmSize())
    return {**ports, **defaults, **{key: value for part in parts for key, value in _fields(part).items()}}


def _fields(value: Any) -> Mapping[Any, Any]:
    cls = type(value)
    return {(cls, field.name): getattr(value, field.name) for field in attrs.fields(cls)}


def _read_choice(reader: Reader, value: Any, place: Place) -> Any:
    """``NAME``, or a mapping with ``provider: NAME`` and the provider's options."""
    if isinstance(value, str) and value:
        line = Section({}, file=place.file, line=place.line, lines={}) if place.file else {}
        return ProviderChoice(provider=value, options=line)
    if isinstance(value, ProviderChoice):
        return value
    if not isinstance(value, Mapping):
        return reader.wrong("the name of a provider, or a mapping with provider and its options", value, place)
    name = value.get("provider")
    here = place.child("provider", value)
    if "provider" not in value:
        return reader.complain(here, "is missing; it must be the name of a provider")
    if not isinstance(name, str) or not name:
        return reader.wrong("the name of a provider", name, here)
    options = {key: option for key, option in value.items() if key != "provider"}
    return ProviderChoice(provider=name, options=same_place(value, options))


def _read_version(reader: Reader, value: Any, place: Place) -> Any:
    if isinstance(value, KubernetesVersion):
        return value
    if not isinstance(value, str):
        return reader.wrong(phrase(KubernetesVersion), value, place)
    try:
        return KubernetesVersion.parse(value)
    except ValueError as error:
        return reader.complain(place, f"is wrong: {error}")


def _read_group(reader: Reader, value: Any, place: Place) -> Any:
    """A group named like a role has that role; what it leaves out of size and disk is the default shape's."""
    if not isinstance(value, Mapping):
        return reader.read_class(InstanceGroup, value, place)
    name, role = value.get("name"), value.get("role", value.get("name"))
    for group in default_groups():
        if group.role.value == role:
            defaults: dict[str, Any] = {"instances": group.instances, "persistent_disk_mb": group.persistent_disk_mb}
            if name == role:
                defaults["role"] = role
            value = same_place(value, {**defaults, **value})
    return reader.read_class(InstanceGroup, value, place)


def _read_labels(reader: Reader, value: Any, place: Place) -> Any:
    found = value if isinstance(value, tuple) else reader.read(Mapping[str, str], value, place)
    return found if found is BAD else tuple(sorted(dict(found).items()))


def _read_extra_args(reader: Reader, value: Any, place: Place) -> Any:
    """Flags by component.  A number or a truth value is taken as the text Kubernetes wants."""
    found = reader.read(Mapping[str, Mapping[str, Any]], value, place)
    if found is BAD:
        return BAD
    return {
        component: {
            flag: _flag_value(reader, text, place.child(component, value).child(flag, value[component]))
            for flag, text in flags.items()
        }
        for component, flags in found.items()
    }


def _flag_value(reader: Reader, value: Any, place: Place) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    reader.wrong("a text", value, place)
    return ""


def _read_node_ports(reader: Reader, value: Any, place: Place) -> Any:
    """``30000-32767``, or a list of the first and the last."""
    parts = value.split("-") if isinstance(value, str) else value
    if isinstance(parts, list | tuple) and len(parts) == 2:
        try:
            return tuple(_port(part) for part in parts)
        except ValueError:
            pass
    wanted = "two port numbers, first and last, such as 30000-32767"
    return reader.complain(place, f"must be {wanted}, not {shown(value)}")


def _port(value: Any) -> int:
    if isinstance(value, str):
        return int(value)
    if type(value) is int:
        return value
    raise ValueError(value)
