"""What the API says there is, read out of moto; and the three things moto is made to do otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import EC2Backend, ec2_backends
from moto.elb.models import ELBBackend, elb_backends

from .balancers import Balancer, Check
from .firewall import Opening
from .machines import Wish

REGION = "us-east-1"
# What moto reads out of a request that has no client token.
_NO_TOKEN = "ABCDE"


def amend() -> None:
    """Change moto in this process: balancers are called by addresses, instances lie in subnets, client tokens count."""
    _name_balancers_by_address()
    _run_instances_as_amazon_does()
    inventory()


def _name_balancers_by_address() -> None:
    """A new balancer is called by a free address of its subnet: names of a cloud mean nothing in a box."""
    create, delete = ELBBackend.create_load_balancer, ELBBackend.delete_load_balancer

    def create_with_address(self: ELBBackend, *arguments: Any, **options: Any) -> Any:
        balancer = create(self, *arguments, **options)
        balancer.dns_name = _subnet(self, balancer).get_available_subnet_ip(balancer)
        return balancer

    def delete_with_address(self: ELBBackend, load_balancer_name: str) -> None:
        balancer = self.load_balancers.get(load_balancer_name)
        delete(self, load_balancer_name)
        if balancer is not None:
            _subnet(self, balancer).del_subnet_ip(balancer.dns_name)

    ELBBackend.create_load_balancer = create_with_address  # type: ignore[method-assign]
    ELBBackend.delete_load_balancer = delete_with_address  # type: ignore[method-assign]


def _run_instances_as_amazon_does() -> None:
    """Where no subnet is asked for, EC2 takes the zone's default one; moto gives an address of no network at all."""
    run = EC2Backend.run_instances

    def run_in_subnet(self: Any, *arguments: Any, **options: Any) -> Any:
        if not options.get("subnet_id") and not any("SubnetId" in nic for nic in options.get("nics", ())):
            options["placement"] = options.get("placement") or f"{self.region_name}a"
            options["subnet_id"] = self.get_default_subnets()[options["placement"]].id
        # Two requests with the same token are one; moto takes them for two.
        token = options.get("client_token")
        for reservation in list(self.reservations.values()):
            if token != _NO_TOKEN and any(each.client_token == token for each in reservation.instances):
                return reservation
        return run(self, *arguments, **options)

    EC2Backend.run_instances = run_in_subnet  # type: ignore[method-assign]


def _subnet(elb: ELBBackend, balancer: Any) -> Any:
    return ec2_backends[elb.account_id][elb.region_name].get_subnet(balancer.subnets[0])


def _regions() -> Iterator[tuple[Any, Any]]:
    """The EC2 and the ELB backend of every region that was asked for."""
    for region in {REGION, *ec2_backends[DEFAULT_ACCOUNT_ID]}:
        yield ec2_backends[DEFAULT_ACCOUNT_ID][region], elb_backends[DEFAULT_ACCOUNT_ID][region]


def instances() -> Iterator[Any]:
    """Every instance, terminated ones too."""
    for ec2, _ in _regions():
        for reservation in list(ec2.reservations.values()):
            yield from list(reservation.instances)


def instance(each: Any) -> dict[str, Any]:
    """One instance, as a test wants to know it."""
    tags = {tag["key"]: tag["value"] for tag in each.get_tags()}
    return {"id": each.id, "state": each.state, "address": each.private_ip, "tags": tags}


def terminate(id: str) -> None:
    for each in instances():
        if each.id == id:
            each.ec2_backend.terminate_instances([id])


def wish(instance: Any, *, host_key: bool = True) -> Wish:
    """The machine that an instance is to be; without *host_key* it makes itself one, as a machine of others has."""
    ec2 = instance.ec2_backend
    key = ec2.key_pairs.get(instance.key_name) if instance.key_name else None
    user_data = instance.user_data.decode() if instance.user_data else "#cloud-config\n{}\n"
    return Wish(
        id=instance.id,
        vpc=instance.vpc_id,
        cidr=cidr(ec2, instance.vpc_id),
        address=instance.private_ip,
        az=instance.availability_zone,
        user_data=user_data if host_key else _without_host_key(user_data),
        login_keys=(key.public_key,) if key else (),
    )


def _without_host_key(user_data: str) -> str:
    document = yaml.safe_load(user_data)
    return "#cloud-config\n" + yaml.safe_dump({key: value for key, value in document.items() if key != "ssh_keys"})


def cidr(ec2: Any, vpc: str) -> str:
    return str(ec2.get_vpc(vpc).cidr_block)


def volumes() -> tuple[dict[str, int], dict[str, str]]:
    """The sizes of all volumes, and which are attached to which instance; root volumes are part of the machine."""
    sizes: dict[str, int] = {}
    attached: dict[str, str] = {}
    for ec2, _ in _regions():
        for volume in list(ec2.volumes.values()):
            attachment = volume.attachment
            if attachment is not None and attachment.device == attachment.instance.root_device_name:
                continue
            sizes[volume.id] = volume.size
            if attachment is not None and attachment.status == "attached":
                attached[volume.id] = attachment.instance.id
    return sizes, attached


def get_stuck(volume: str) -> None:
    """The attachment of that volume never comes to an end."""
    for ec2, _ in _regions():
        if volume in ec2.volumes and ec2.volumes[volume].attachment:
            ec2.volumes[volume].attachment.status = "attaching"


def balancers() -> Iterator[tuple[Balancer, str, str]]:
    """Every balancer with its VPC and the VPC's network."""
    for ec2, elb in _regions():
        for each in list(elb.load_balancers.values()):
            yield _balancer(ec2, each), each.vpc_id, cidr(ec2, each.vpc_id)


def _balancer(ec2: Any, each: Any) -> Balancer:
    check = each.health_check
    # As moto made it, or as a request brought it.
    settings = each.attributes["connection_settings"]
    members = [ec2.get_instance(name) for name in each.instance_ids]
    return Balancer(
        name=each.name,
        address=each.dns_name,
        listeners=tuple((int(one.load_balancer_port), int(one.instance_port)) for one in each.listeners),
        members=tuple((one.id, one.private_ip) for one in members if one.is_running()),
        check=check
        and Check(
            target=check.target,
            interval=int(check.interval),
            timeout=int(check.timeout),
            unhealthy=int(check.unhealthy_threshold),
            healthy=int(check.healthy_threshold),
        ),
        idle_seconds=int(settings.get("IdleTimeout") or settings["idle_timeout"]),
    )


def openings() -> dict[str, tuple[Opening, ...]]:
    """What the groups of each instance let in; a group as a source is the addresses of its members."""
    found: dict[str, tuple[Opening, ...]] = {}
    for ec2, elb in _regions():
        alive = [each for many in list(ec2.reservations.values()) for each in many.instances if each.is_running()]
        members: dict[str, list[str]] = {}
        for each in alive:
            for group in _groups(each):
                members.setdefault(group, []).append(each.private_ip)
        for each in list(elb.load_balancers.values()):
            for group in each.security_groups:
                members.setdefault(group, []).append(each.dns_name)
        for each in alive:
            ingress = [rule for group in _groups(each) for rule in ec2.get_security_group_from_id(group).ingress_rules]
            found[each.id] = tuple(_opening(rule, members) for rule in ingress)
    return found


def _groups(instance: Any) -> set[str]:
    return {group.id for nic in instance.nics.values() for group in nic.group_set}


def _opening(rule: Any, members: dict[str, list[str]]) -> Opening:
    network = rule.ip_range.get("CidrIp")
    sources = [network] if network else members.get(rule.source_group.get("GroupId", ""), [])
    return Opening(protocol=rule.ip_protocol, first=rule.from_port, last=rule.to_port, sources=tuple(sources))


def _went_along(interface: Any) -> bool:
    """EC2 deletes the interface that an instance was made with together with it; moto keeps it."""
    return interface.instance is not None and interface.instance.state == "terminated"


def inventory() -> list[str]:
    """Everything that is billed or stays behind: a line each."""
    lines = [f"instance {one.id} {one.state}" for one in instances() if one.state != "terminated"]
    for ec2, elb in _regions():
        for kind, found in (
            ("volume", ec2.volumes),
            ("address", [one.allocation_id for one in ec2.addresses]),
            ("balancer", elb.load_balancers),
            ("key", ec2.key_pairs),
            ("interface", [name for name, one in ec2.enis.items() if not _went_along(one)]),
            ("vpc", ec2.vpcs),
            ("subnet", [name for zone in ec2.subnets.values() for name in zone]),
            ("group", [name for vpc in ec2.groups.values() for name in vpc]),
            ("template", ec2.launch_templates),
        ):
            lines += [f"{kind} {name}" for name in found]
    return sorted(lines)
