"""Places: the image machines are made from, and the network and zones they are made in; looked up once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar, cast
from xml.etree.ElementTree import Element

from attrs import frozen

from kubo_sdk.errors import NotFound, ProviderError
from kubo_sdk_libcloud.clouds.ec2.api import Api, Value, filters
from kubo_sdk_libcloud.clouds.ec2.config import Ec2Config, Ec2Zone

T = TypeVar("T")


@frozen(kw_only=True)
class Image:
    """``root``: the device name of its root volume, which is no smaller than ``root_mb``."""

    id: str
    architecture: str
    root: str
    root_mb: int


@frozen(kw_only=True)
class Subnet:
    id: str
    vpc: str
    zone: str


class Places:
    """What was found is kept, for it does not change."""

    def __init__(self, api: Api, config: Ec2Config) -> None:
        self._api, self._config = api, config
        self._kept: dict[str, object] = {}
        self._lock = threading.Lock()

    def image(self) -> Image:
        """NotFound when there is no such image, or the account may not see it."""
        return self._keep("image", self._find_image)

    def vpc(self) -> str:
        """The network of all machines: the one that is named, that of the subnets, or the default one."""
        return self._keep("vpc", self._find_vpc)

    def subnet(self, zone: str) -> Subnet:
        """Where machines of a zone of the spec are made.  NotFound when there is none; ProviderError when many."""
        return self._keep(f"subnet {zone}", lambda: self._find_subnet(zone))

    def _keep(self, name: str, find: Callable[[], T]) -> T:
        with self._lock:
            if name in self._kept:
                return cast("T", self._kept[name])
        found = find()
        with self._lock:
            self._kept[name] = found
        return found

    def _find_image(self) -> Image:
        wanted = self._config.image
        image = self._one(f"image {wanted}", "cpi.ec2.image", "DescribeImages", {"ImageId.1": wanted}, "imagesSet/item")
        root = image.findtext("rootDeviceName") or "/dev/xvda"
        mappings = {each.findtext("deviceName"): each for each in image.findall("blockDeviceMapping/item")}
        size = mappings[root].findtext("ebs/volumeSize") if root in mappings else None
        return Image(
            id=wanted,
            architecture=image.findtext("architecture") or "x86_64",
            root=root,
            root_mb=int(size or 0) * 1024,
        )

    def _one(self, what: str, option: str, action: str, asked: Mapping[str, Value], path: str) -> Element:
        """The one thing with that id.  NotFound names the *option* that is wrong."""
        found = None
        with suppress(NotFound):
            found = self._api.call(f"looking for {what}", action, asked).find(path)
        if found is None:
            raise NotFound(f"{self._api.where}: there is no {what}; correct {option}")
        return found

    def _find_vpc(self) -> str:
        if self._config.vpc:
            return self._config.vpc
        named = next((zone.subnet for zone in self._config.zones.values() if zone.subnet), "")
        if named:
            return self._described(named).vpc
        answer = self._api.call("looking for the default VPC", "DescribeVpcs", filters({"isDefault": "true"}))
        vpc = answer.findtext("vpcSet/item/vpcId")
        if not vpc:
            raise NotFound(f"{self._api.where}: there is no default VPC; name one in cpi.ec2.vpc")
        return vpc

    def _described(self, subnet: str) -> Subnet:
        asked = {"SubnetId.1": subnet}
        item = self._one(f"subnet {subnet}", "cpi.ec2.zones", "DescribeSubnets", asked, "subnetSet/item")
        return Subnet(id=subnet, vpc=item.findtext("vpcId") or "", zone=item.findtext("availabilityZone") or "")

    def _find_subnet(self, zone: str) -> Subnet:
        place = self._config.zones.get(zone) or Ec2Zone(zone=zone)
        if place.subnet:
            found = self._described(place.subnet)
            if place.zone not in ("", found.zone):
                raise ProviderError(
                    f"{self._api.where}: subnet {found.id} is in zone {found.zone}, not in {place.zone}"
                )
            return found
        name = place.zone or zone
        wanted = filters({"vpc-id": self.vpc(), "availability-zone": name})
        items = self._api.call(f"looking for subnets in {name}", "DescribeSubnets", wanted).findall("subnetSet/item")
        default = [each for each in items if each.findtext("defaultForAz") == "true"] or items
        if not default:
            raise NotFound(
                f"{self._api.where}: VPC {self.vpc()} has no subnet in zone {name!r}; "
                f"say in cpi.ec2.zones what zone {zone!r} of the spec is there"
            )
        if len(default) > 1:
            raise ProviderError(
                f"{self._api.where}: VPC {self.vpc()} has {len(default)} subnets in zone {name}; "
                f"choose one by cpi.ec2.zones.{zone}.subnet"
            )
        return Subnet(id=default[0].findtext("subnetId") or "", vpc=self.vpc(), zone=name)
