"""Changes who is a member of etcd, one member at a time, and who leads it."""

from __future__ import annotations

from kubo_sdk.clients.etcd import EtcdClient, Member
from kubo_sdk.errors import KuboError, NotFound, ProviderError, UnsafePlan
from kubo_sdk.nodes.etcd import JOIN_FILE, UNIT, data_directory, peer_url
from kubo_sdk.nodes.etcd_join import FORGET, JOIN, join_file
from kubo_sdk.nodes.push import start_units
from kubo_sdk.planning.membership import slug_in, slug_of_instance
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.credentials import User, value_of
from kubo_sdk.steps.access import etcd_client, etcd_hosts
from kubo_sdk.steps.context import StepContext

# etcd wants to see its members connected for five seconds before it changes them.
CHANGE_SECONDS = 60
# A member with gigabytes to fetch takes its time.
CATCH_UP_SECONDS = 600
# The members elect somebody else by then, should the leader not manage to hand over.
HAND_OVER_SECONDS = 15


def move_leadership(context: StepContext, step: Step) -> None:
    """Have the best of the other members lead, if this one does."""
    client, slug = _as_root(context), slug_of_instance(str(step.instance))

    def moved() -> bool | None:
        members = client.members()
        mine, leader = _find(members, slug), _leader(context, client)
        if mine is None or leader != mine.id:
            return True
        heir = _heir(context, client, members, mine)
        if heir is None:
            return True  # Nobody else could lead.
        client.hand_over(context.vm(str(step.instance)).address, heir.id)
        return None

    what = f"another etcd member leading instead of {step.instance}"
    context.wait_until(moved, what=what, timeout=HAND_OVER_SECONDS)


def join_member(context: StepContext, step: Step) -> None:
    """Make the instance a learner, and let its first start know whom it joins.  One that has started is left alone."""
    client, instance = _as_root(context), context.instance(step.instance)
    url = peer_url(context.spec, instance)

    def members() -> tuple[Member, ...]:
        found = client.members()
        return found if _find(found, instance.slug) else client.membership.add_learner(url)

    found = context.wait_until(members, what=f"etcd taking {instance.id} as a learner", timeout=CHANGE_SECONDS)
    mine = _find(found, instance.slug)
    if mine is None or mine.name:
        return
    known = [(slug_in(member), *member.peer_urls[:1]) for member in found if member.id != mine.id]
    text = join_file([(name, peer) for name, peer in known] + [(instance.slug, url)])
    directory = data_directory(context.spec.group(instance.group))
    outcome = context.shell(instance.id).run(["sh", "-c", JOIN, "sh", directory], stdin=text.encode())
    outcome.check(f"preparing {instance.id} to join etcd")


def promote_member(context: StepContext, step: Step) -> None:
    """Give the learner its vote once it has caught up, then let it serve clients.

    Its unit counts as outdated until the end, so that an interruption in between is seen by the next plan.
    """
    client, instance = _as_root(context), context.instance(step.instance)
    shell = context.shell(instance.id)
    shell.run(["sh", "-c", FORGET]).check(f"preparing the promotion of {instance.id}")

    def promoted() -> bool:
        mine = _find(client.members(), instance.slug)
        if mine is None:
            raise NotFound(f"etcd has no member {instance.id} to promote; plan again")
        if mine.learner or not mine.name:
            client.membership.promote(mine.id)
        return True

    what = f"etcd member {instance.id} catching up with the others"
    context.wait_until(promoted, what=what, timeout=CATCH_UP_SECONDS)
    # A learner that was sent a snapshot may not have ended its first start.  Its data tells now whom it has joined.
    shell.run(["rm", "-f", JOIN_FILE]).check(f"ending the first start of {instance.id}")
    start_units(shell, [UNIT])


def remove_member(context: StepContext, step: Step) -> None:
    """Take the member out.  One that is gone already is fine; the last one stays."""
    client, slug = _as_root(context), slug_of_instance(str(step.instance))

    def removed() -> bool:
        members = client.members()
        mine = _find(members, slug)
        if mine is None:
            return True
        if not any(other.name and not other.learner for other in members if other.id != mine.id):
            raise UnsafePlan(f"{step.instance} is the last etcd member of cluster {context.spec.id}; it stays")
        client.membership.remove(mine.id)
        return True

    context.wait_until(removed, what=f"etcd giving up its member {step.instance}", timeout=CHANGE_SECONDS)


def _as_root(context: StepContext) -> EtcdClient:
    """etcd's members, strangers among them, spoken to with the rights to change who they are."""
    client = etcd_client(context.spec, context.state)
    root = value_of(context.state.credentials, "etcd-root", User)
    context.wait_until(
        lambda: (client.authenticate(root.username, root.password), True)[1],
        what=f"etcd of cluster {context.spec.id} having a leader",
        timeout=CHANGE_SECONDS,
    )
    return client


def _find(members: tuple[Member, ...], slug: str) -> Member | None:
    return next((member for member in members if slug_in(member) == slug), None)


def _leader(context: StepContext, client: EtcdClient) -> int:
    """The member that leads, as the first that answers knows; 0 while there is none."""
    for host in etcd_hosts(context.spec, context.state):
        try:
            return client.status(host).leader
        except ProviderError:
            continue
    return 0


def _heir(context: StepContext, client: EtcdClient, members: tuple[Member, ...], leader: Member) -> Member | None:
    """The other voting member that serves and has heard the most."""
    heard = {}
    for host in etcd_hosts(context.spec, context.state):
        try:
            status = client.status(host)
        except KuboError:
            continue
        if client.healthy(host):
            heard[status.member] = status.raft_index
    able = [member for member in members if member.id in heard and member.id != leader.id and not member.learner]
    return max(able, key=lambda member: heard[member.id], default=None)
