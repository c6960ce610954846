"""Security groups: one for the machines of a cluster and, where it has balancers, one for them; rules kept exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import IPv4Network
from xml.etree.ElementTree import Element

from attrs import frozen

from kubo_sdk.errors import Conflict, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.ec2.api import Api, Value, filters, tag_filters, tag_specification, tags_of
from kubo_sdk_libcloud.clouds.ec2.faults import Refusal
from kubo_sdk_libcloud.clouds.ec2.places import Places
from kubo_sdk_libcloud.firewall import Group, Rule

# Which of the cluster's groups this one is.
GROUP = "kubo-group"


@frozen(kw_only=True)
class Permission:
    """One rule as EC2 keeps it.  ``source``: the id of a group, or a network as text."""

    protocol: str
    first: int
    last: int
    source: str


@frozen(kw_only=True)
class FoundGroup:
    id: str
    group: Group
    permissions: frozenset[Permission]


@frozen(kw_only=True)
class Groups:
    """The security groups of clusters."""

    api: Api
    places: Places

    def ensure(self, cluster: ClusterId, rules: tuple[Rule, ...], marks: Mapping[str, str]) -> None:
        """Make the groups that *rules* name, and give each exactly its rules."""
        wanted = [group for group in Group if group is Group.MACHINES or any(rule.group is group for rule in rules)]
        found = {each.group: each for each in self.find(cluster)}
        for group in wanted:
            if group not in found:
                found[group] = self._create(cluster, group, marks)
        ids = {group: each.id for group, each in found.items()}
        for group in wanted:
            self._correct(found[group], frozenset(_permission(rule, ids) for rule in rules if rule.group is group))
        for group in set(found) - set(wanted):
            with suppress(Unavailable):  # a balancer that is going still has it; the next run, or dispose, takes it
                self._delete(found[group].id)

    def id(self, cluster: ClusterId, group: Group = Group.MACHINES) -> str:
        """The id of a group that was made; NotFound before."""
        for found in self.find(cluster):
            if found.group is group:
                return found.id
        raise NotFound(f"{self.api.where}: cluster {cluster} has no security group for its {group}; deploy the cluster")

    def find(self, cluster: ClusterId) -> tuple[FoundGroup, ...]:
        """The groups with the cluster's tags."""
        wanted = filters(tag_filters(tags.of_cluster(cluster)))
        what = f"looking for the security groups of cluster {cluster}"
        return tuple(
            FoundGroup(id=item.findtext("groupId") or "", group=Group(each[GROUP]), permissions=_permissions(item))
            for item in self.api.pages(what, "DescribeSecurityGroups", wanted, "securityGroupInfo/item")
            if tags.owner(each := tags_of(item)) == cluster and each.get(GROUP) in tuple(Group)
        )

    def remove(self, cluster: ClusterId) -> None:
        """Delete every group of the cluster.  Unavailable while something still has one."""
        found = self.find(cluster)
        ours = {each.id for each in found}
        if len(found) > 1:  # what another group names cannot be deleted
            for each in found:
                with suppress(NotFound):
                    self._change("Revoke", each.id, {rule for rule in each.permissions if rule.source in ours})
        for each in found:
            self._delete(each.id)

    def _delete(self, group_id: str) -> None:
        with suppress(NotFound):
            self.api.call(f"deleting security group {group_id}", "DeleteSecurityGroup", {"GroupId": group_id})

    def _create(self, cluster: ClusterId, group: Group, marks: Mapping[str, str]) -> FoundGroup:
        name = f"kubo/{cluster.director}/{cluster.name}/{group}"
        given: dict[str, Value] = {
            "GroupName": name,
            "GroupDescription": f"{group} of cluster {cluster}",
            "VpcId": self.places.vpc(),
            **tag_specification("security-group", {**marks, GROUP: str(group), "Name": name}),
        }
        try:
            made = self.api.call(f"making security group {name}", "CreateSecurityGroup", given)
        except Conflict as conflict:
            return self._other(cluster, group, name, conflict)
        return FoundGroup(id=made.findtext("groupId") or "", group=group, permissions=frozenset())

    def _other(self, cluster: ClusterId, group: Group, name: str, conflict: Conflict) -> FoundGroup:
        """Somebody made it at the same moment."""
        for found in self.find(cluster):
            if found.group is group:
                return found
        raise Conflict(
            f"{self.api.where}: security group {name} in {self.places.vpc()} has not the tags of cluster {cluster}; "
            "delete or rename it"
        ) from conflict

    def _correct(self, found: FoundGroup, wanted: frozenset[Permission]) -> None:
        self._change("Authorize", found.id, wanted - found.permissions)
        self._change("Revoke", found.id, found.permissions - wanted)

    def _change(self, verb: str, group_id: str, changed: frozenset[Permission] | set[Permission]) -> None:
        if not changed:
            return
        ordered = sorted(changed, key=lambda each: (each.protocol, each.first, each.source))
        try:
            self._ask(verb, group_id, ordered)
        except ProviderError as error:
            if not _is_done(error):
                raise
            # One of them is as it should be; all were refused together, so each is asked for alone.
            for each in ordered:
                self._change_one(verb, group_id, each)

    def _change_one(self, verb: str, group_id: str, permission: Permission) -> None:
        try:
            self._ask(verb, group_id, [permission])
        except ProviderError as error:
            if not _is_done(error):
                raise

    def _ask(self, verb: str, group_id: str, permissions: list[Permission]) -> None:
        given: dict[str, Value] = {"GroupId": group_id}
        for number, each in enumerate(permissions, 1):
            given |= dict(_parameters(each, f"IpPermissions.{number}"))
        self.api.call(f"changing security group {group_id}", f"{verb}SecurityGroupIngress", given)


def _is_done(error: BaseException) -> bool:
    """Whether it was refused because it is so already."""
    cause = error.__cause__
    return isinstance(cause, Refusal) and cause.code in ("InvalidPermission.Duplicate", "InvalidPermission.NotFound")


def _permission(rule: Rule, ids: Mapping[Group, str]) -> Permission:
    source = str(rule.source) if isinstance(rule.source, IPv4Network) else ids[rule.source]
    return Permission(protocol=rule.protocol, first=rule.first, last=rule.last, source=source)


def _parameters(permission: Permission, start: str) -> Iterator[tuple[str, Value]]:
    yield f"{start}.IpProtocol", permission.protocol
    yield f"{start}.FromPort", permission.first
    yield f"{start}.ToPort", permission.last
    if "/" in permission.source:
        yield f"{start}.IpRanges.1.CidrIp", permission.source
    else:
        yield f"{start}.Groups.1.GroupId", permission.source


def _permissions(group: Element) -> frozenset[Permission]:
    """What the group accepts.  A rule that is not of our kind has protocol ``-1`` or a source of its own."""
    return frozenset(
        Permission(
            protocol=each.findtext("ipProtocol") or "-1",
            first=int(each.findtext("fromPort") or -1),
            last=int(each.findtext("toPort") or -1),
            source=source,
        )
        for each in group.findall("ipPermissions/item")
        for source in _sources(each)
    )


def _sources(permission: Element) -> Iterator[str]:
    for item in permission.findall("ipRanges/item"):
        yield item.findtext("cidrIp") or ""
    for item in permission.findall("groups/item"):
        yield item.findtext("groupId") or ""
