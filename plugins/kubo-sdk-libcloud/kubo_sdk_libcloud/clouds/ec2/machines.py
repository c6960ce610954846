"""EC2's instances: asked for once by a client token, found again by their tags."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import Element

from attrs import field, frozen

from kubo_sdk.errors import ConfigError, Conflict, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import Machine, MachineState, MachineWish
from kubo_sdk_libcloud.clouds.ec2.api import Api, Value, filters, tag_filters, tag_specification, tags_of
from kubo_sdk_libcloud.clouds.ec2.config import Ec2Config
from kubo_sdk_libcloud.clouds.ec2.faults import Refusal, is_throttled
from kubo_sdk_libcloud.clouds.ec2.groups import Groups
from kubo_sdk_libcloud.clouds.ec2.places import Places
from kubo_sdk_libcloud.clouds.ec2.types import instance_type

# How often a machine of that key may have been deleted in the last day, while EC2 remembers its client token.
_LIVES = 64
# Seconds for which a list may not show what was just made.
SEEN_WITHIN = 20.0
# How often a request is repeated whose answer was lost.  Its client token keeps that from making two.
_REPEATS = 3

_STATES = {
    "pending": MachineState.STARTING,
    "running": MachineState.RUNNING,
    "stopping": MachineState.STOPPING,
    "stopped": MachineState.STOPPED,
    "shutting-down": MachineState.GONE,
    "terminated": MachineState.GONE,
}
_PROPERTIES = {"instance_type": str, "root_mb": int, "iam_profile": str, "security_groups": list}


@frozen(kw_only=True)
class Machines:
    """The instances of clusters.  ``forwards``: they may send what pods sent (no source and destination check).

    ``seen_within``: seconds for which a list may not show what was just made.
    """

    api: Api = field(repr=False)
    config: Ec2Config = field(repr=False)
    places: Places = field(repr=False)
    groups: Groups = field(repr=False)
    forwards: bool
    seen_within: float = SEEN_WITHIN

    def create(self, wish: MachineWish) -> Machine:
        """Ask for the machine; one that was asked for with the same key and is not gone is returned."""
        given = self._parameters(wish)
        spent = {each.findtext("clientToken") for each in self._told(wish) if _state(each) is MachineState.GONE}
        for life in range(_LIVES):
            token = hashlib.sha256(f"{wish.key} {life}".encode()).hexdigest()
            if token in spent:
                continue
            found = self._ask(wish, {**given, "ClientToken": token}, token)
            if found is not None:
                return machine(found)
        raise Conflict(
            f"{self.api.where}: {wish.name} was made and deleted {_LIVES} times in a day; wait, or look for why"
        )

    def _ask(self, wish: MachineWish, given: dict[str, Value], token: str) -> Element | None:
        """The machine that this client token stands for; None when that one is gone."""
        try:
            answer = repeated(lambda: self.api.call(f"making {wish.name}", "RunInstances", given))
        except ProviderError as error:
            code = error.__cause__.code if isinstance(error.__cause__, Refusal) else ""
            if code == "IdempotentParameterMismatch":
                return self._made_by_another(wish, token)
            if code == "IdempotentInstanceTerminated":
                return None
            raise
        found = answer.find("instancesSet/item")
        if found is None:
            raise Unavailable(f"{self.api.where}: making {wish.name} was answered without an instance")
        return None if _state(found) is MachineState.GONE else found

    def _made_by_another(self, wish: MachineWish, token: str) -> Element | None:
        """Whoever asked with the same client token made it, with another host key than ours."""

        def look() -> list[Element] | None:
            return [each for each in self._told(wish) if each.findtext("clientToken") == token] or None

        # What was deleted long ago is not told of any more.
        found = self.api.seen(look, f"the sight of {wish.name}", self.seen_within) or ()
        return next((each for each in found if _state(each) is not MachineState.GONE), None)

    def _parameters(self, wish: MachineWish) -> dict[str, Value]:
        image, subnet = self.places.image(), self.places.subnet(wish.zone)
        properties = checked(wish)
        groups = [self.groups.id(wish.cluster), *map(str, properties.get("security_groups", ()))]
        type_ = instance_type(wish.size, self.config.instance_type, image.architecture, self.api.where)
        root_mb = max(int(properties.get("root_mb", self.config.root_mb)), image.root_mb)
        given: dict[str, Value] = {
            "ImageId": image.id,
            "MinCount": 1,
            "MaxCount": 1,
            "InstanceType": type_,
            "UserData": base64.b64encode(wish.user_data.encode()).decode(),
            "NetworkInterface.1.DeviceIndex": 0,
            "NetworkInterface.1.SubnetId": subnet.id,
            "NetworkInterface.1.AssociatePublicIpAddress": self.config.public_addresses,
            "NetworkInterface.1.DeleteOnTermination": True,
            "BlockDeviceMapping.1.DeviceName": image.root,
            "BlockDeviceMapping.1.Ebs.VolumeSize": -(-root_mb // 1024),
            "BlockDeviceMapping.1.Ebs.VolumeType": self.config.volume_type,
            "BlockDeviceMapping.1.Ebs.DeleteOnTermination": True,
            "BlockDeviceMapping.1.Ebs.Encrypted": self.config.encrypted or None,
            **tag_specification("instance", {**wish.tags, "Name": wish.name}),
        }
        if self.config.imds_v2:
            given |= {"MetadataOptions.HttpTokens": "required", "MetadataOptions.HttpPutResponseHopLimit": 1}
        profile = str(properties.get("iam_profile", ""))
        if profile:
            given[f"IamInstanceProfile.{'Arn' if profile.startswith('arn:') else 'Name'}"] = profile
        return given | {f"NetworkInterface.1.SecurityGroupId.{n}": each for n, each in enumerate(groups, 1)}

    def complete(self, machine_id: str) -> None:
        """What cannot be asked for together with the machine; may be done again."""
        if self.forwards:
            what = f"switching off the source and destination check of {machine_id}"
            given: dict[str, Value] = {"InstanceId": machine_id, "SourceDestCheck.Value": False}
            self.api.call(what, "ModifyInstanceAttribute", given)

    def list(self, cluster: ClusterId, token: str) -> tuple[Machine, ...]:
        wanted = {**tags.of_cluster(cluster), **({tags.TOKEN: token} if token else {})}
        told = self._list(f"looking for the machines of cluster {cluster}", tag_filters(wanted))
        found = (machine(each) for each in told if _has(each, wanted))
        return tuple(each for each in found if each.state is not MachineState.GONE)

    def _told(self, wish: MachineWish) -> Iterator[Element]:
        wanted = {name: wish.tags[name] for name in (*tags.CLUSTER_TAGS, tags.TOKEN)}
        told = self._list(f"looking for {wish.name}", tag_filters(wanted))
        return (each for each in told if _has(each, wanted))

    def _list(self, what: str, wanted: dict[str, str]) -> Iterator[Element]:
        return self.api.pages(what, "DescribeInstances", filters(wanted), "reservationSet/item/instancesSet/item")

    def find(self, machine_id: str) -> Machine | None:
        what = f"looking for {machine_id}"
        with suppress(NotFound):
            answer = self.api.call(what, "DescribeInstances", {"InstanceId.1": machine_id})
            found = answer.find("reservationSet/item/instancesSet/item")
            return None if found is None else machine(found)
        return None

    def delete(self, machine_id: str) -> None:
        with suppress(NotFound):
            self._do("deleting", "TerminateInstances", machine_id)

    def start(self, machine_id: str) -> None:
        self._do("starting", "StartInstances", machine_id)

    def stop(self, machine_id: str) -> None:
        self._do("stopping", "StopInstances", machine_id, {"Force": True})

    def _do(self, what: str, action: str, machine_id: str, more: dict[str, Value] | None = None) -> None:
        self.api.call(f"{what} {machine_id}", action, {"InstanceId.1": machine_id, **(more or {})})


def repeated(ask: Callable[[], Element]) -> Element:
    """*ask*, repeated when its answer was lost or it failed there, and never when there were too many calls."""
    for _ in range(_REPEATS - 1):
        try:
            return ask()
        except Unavailable as error:
            if isinstance(error.__cause__, Refusal) and is_throttled(error.__cause__.code):
                raise
    return ask()


def checked(wish: MachineWish) -> dict[str, Any]:
    """The cloud_properties of the wish; ConfigError for what this cloud does not know."""
    problems = [
        f"the cloud_properties of {wish.name}: {name} is not known here or of another kind; "
        f"known are {', '.join(sorted(_PROPERTIES))}"
        for name, value in wish.size.cloud_properties.items()
        if name not in _PROPERTIES or not isinstance(value, _PROPERTIES[name])
    ]
    if problems:
        raise ConfigError(problems)
    return dict(wish.size.cloud_properties)


def machine(element: Element) -> Machine:
    """The instance as every cloud tells it.  Volumes that go with it are not told: they are the image's."""
    root = element.findtext("rootDeviceName")
    mapped = element.findall("blockDeviceMapping/item")
    zone, id_ = element.findtext("placement/availabilityZone") or "", element.findtext("instanceId") or ""
    return Machine(
        id=id_,
        state=_state(element),
        private_address=element.findtext("privateIpAddress") or "",
        public_address=element.findtext("ipAddress") or "",
        provider_id=f"aws:///{zone}/{id_}",
        volumes=tuple(
            sorted(
                each.findtext("ebs/volumeId") or ""
                for each in mapped
                if each.findtext("deviceName") != root and each.findtext("ebs/deleteOnTermination") != "true"
            )
        ),
        tags=tags_of(element),
        reason=_reason(element),
    )


def _state(element: Element) -> MachineState:
    return _STATES.get(element.findtext("instanceState/name") or "", MachineState.UNKNOWN)


def _reason(element: Element) -> str:
    code, message = element.findtext("stateReason/code") or "", element.findtext("stateReason/message") or ""
    return message if code in message else f"{code}: {message}".strip(": ")


def _has(element: Element, wanted: dict[str, str]) -> bool:
    """EC2 reads patterns in some values of filters, so what it tells is looked at again."""
    found = tags_of(element)
    return all(found.get(name) == value for name, value in wanted.items())
