"""Plans a rotation: trust both, switch, drop the old.  What is next is told by what the credential store holds.  Pure.

Between two stages comes an ordinary deploy, after which every machine carries what the store says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from attrs import frozen

from kubo_sdk.errors import ConfigError, UnsafePlan
from kubo_sdk.model.instance import ClusterId, Role
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb

ROTATE = "rotate"

CA, ETCD_CA, FRONT_PROXY_CA = AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")
SERVICE_ACCOUNT, ENCRYPTION_KEY = KEYS = ("service-account", "encryption-key")
ROTATABLE = (*AUTHORITIES, *KEYS)


def next_leaf(key: str) -> str:
    """Where the successor of a key lies until it is used."""
    return f"{key}-next"


def previous_leaf(key: str) -> str:
    """Where a key lies that is known still and not used any more."""
    return f"{key}-previous"


class Stage(StrEnum):
    """What is done in the credential store, to all that is rotated together."""

    TRUST = "trust"
    SWITCH = "switch"
    DROP = "drop"


def stage_named(name: str | None, *, undo: bool) -> Stage | None:
    """The stage to stop after.  ConfigError where one cannot stop there."""
    if name is None:
        return None
    if name not in (Stage.TRUST, Stage.SWITCH) or undo:
        where = "on the way back" if undo else f"after {name!r}"
        raise ConfigError([f"a rotation cannot stop {where}; it can after trust or switch, on its way to the end"])
    return Stage(name)


@frozen(kw_only=True)
class Standing:
    """How one authority or key stands.  Marks tell two versions of it apart and give nothing away.

    ``began``: what was used when its rotation began.  ``used``: what signs or encrypts now.  ``other``: what is trusted
    beside it, empty where nothing is.
    """

    leaf: str
    began: str
    used: str
    other: str = ""

    @property
    def is_switched(self) -> bool:
        return self.used != self.began

    def next_stage(self, *, undo: bool) -> Stage | None:
        """What is to be done next on the way to the end, or back to the beginning; None at the end of the way."""
        if undo and self.is_switched:
            return Stage.SWITCH if self.other else None  # What was dropped does not come back.
        if undo or self.is_switched:
            return Stage.DROP if self.other else None
        return Stage.SWITCH if self.other else Stage.TRUST


def next_stage(standings: Iterable[Standing], *, undo: bool) -> tuple[Stage, tuple[str, ...]] | None:
    """The stage that comes first, and the leaves it concerns; None when all are at the end of their way."""
    wanted = {standing.leaf: standing.next_stage(undo=undo) for standing in standings}
    for stage in Stage:
        leaves = tuple(leaf for leaf, each in wanted.items() if each is stage)
        if leaves:
            return stage, leaves
    return None


def check_nothing_under_way(under_way: Sequence[str]) -> None:
    """Raise UnsafePlan while something is half done."""
    if under_way:
        raise UnsafePlan(f"{_is_half_done(under_way)} before all certificates are made anew")


def checked_leaves(asked: Sequence[str], under_way: Sequence[str], *, rotates: bool, provider: str) -> tuple[str, ...]:
    """What is to be rotated, in the order of `ROTATABLE`.  *asked* may be empty: what is *under_way* goes on.

    ConfigError where there is no such thing, nothing is asked for, or the credential store cannot; UnsafePlan where
    something else is half done.
    """
    unknown = [leaf for leaf in asked if leaf not in ROTATABLE]
    if unknown:
        raise ConfigError([f"there is no authority or key {unknown[0]!r}; choose from {', '.join(ROTATABLE)}"])
    if under_way and asked and set(asked) != set(under_way):
        raise UnsafePlan(f"{_is_half_done(under_way)} before anything else is rotated")
    leaves = tuple(leaf for leaf in ROTATABLE if leaf in (under_way or asked))
    if not leaves:
        raise ConfigError([f"nothing is being rotated; say what to rotate: {', '.join(ROTATABLE)}"])
    if not rotates and any(leaf in AUTHORITIES for leaf in leaves):
        cannot = f"the credential store {provider!r} cannot rotate authorities ({_listed(leaves)})"
        raise ConfigError([f"{cannot}; move the cluster to one that can, such as 'file'"])
    return leaves


def check_additions(cluster: ClusterId, observation: Observation) -> None:
    """Raise UnsafePlan where instances would be added while something is rotated.

    One that only lost its machine has its certificates, and is told what all others were told.
    """
    if not observation.rotating:
        return
    known = observation.credentials
    added = [
        view.instance.id
        for view in observation.instances
        if view.vm is None
        and view.instance.role is not Role.PROXY
        and not any(leaf.endswith(f"-{view.instance.slug}") for leaf in known)
    ]
    if added:
        raise UnsafePlan(f"{_is_half_done(observation.rotating)} before {_listed(added)} is added to cluster {cluster}")


def check_told(cluster: ClusterId, plan: Plan, left_alone: Sequence[str]) -> None:
    """Raise UnsafePlan unless every machine is known to carry what the store says.

    *plan* is what a deploy would still do, *left_alone* whom it does nothing to.
    """
    if left_alone:
        verb = "is" if len(left_alone) == 1 else "are"
        raise UnsafePlan(
            f"{_listed(left_alone)} of cluster {cluster} {verb} stopped, so nobody can tell it whom to trust; "
            f"run: kubo start {left_alone[0]}, then kubo rotate"
        )
    if not plan.is_empty:
        raise UnsafePlan(
            f"cluster {cluster} is not as wished for ({plan.steps[0].title}), so a stage of its rotation would reach "
            "machines that were not told of the one before; run: kubo up, then kubo rotate"
        )


def plan_stage(
    cluster: ClusterId,
    stage: Stage,
    leaves: Sequence[str],
    fingerprint: str,
    *,
    undo: bool,
    settle: float,
) -> Plan:
    """What comes before *stage*, the stage itself, and what is made anew by it.

    *settle*: how many seconds programs may take to read their tokens anew.
    """
    draft = Draft()
    if stage is Stage.SWITCH and CA in leaves and not undo:
        _await_pods(draft, (CA,), "pods must know both authorities before a server shows a certificate of the new one")
    if stage is Stage.DROP:
        _leave_the_old(draft, leaves, settle)
    switch = Verb.SWITCH_BACK if undo else Verb.SWITCH_SIGNERS
    verbs = {Stage.TRUST: Verb.TRUST_SUCCESSORS, Stage.SWITCH: switch, Stage.DROP: Verb.DROP_OLD}
    reasons = {
        Stage.TRUST: "their successors are made, for everybody to know beside them",
        Stage.SWITCH: "everybody knows both, so the other one is used from now on",
        Stage.DROP: "nobody needs what they were any more",
    }
    before = [step.id for step in draft.plan(cluster, ROTATE, "").steps]
    done = draft.add(verbs[stage], reason=reasons[stage], effect=Effect.CHANGE, needs=before, details=leaves)
    if stage is Stage.SWITCH and any(leaf in AUTHORITIES for leaf in leaves):
        plan_reissue(draft, needs=(done,))
    return draft.plan(cluster, ROTATE, fingerprint)


def _leave_the_old(draft: Draft, leaves: Sequence[str], settle: float) -> None:
    """Whatever was made with what goes is made anew."""
    if ENCRYPTION_KEY in leaves:
        draft.add(
            Verb.REWRITE_SECRETS,
            reason="every Secret is to be encrypted with the key in use",
            effect=Effect.CHANGE,
        )
    if SERVICE_ACCOUNT in leaves:
        signed = draft.add(
            Verb.RESIGN_TOKENS,
            reason="tokens that lie in Secrets are to be signed with the key in use",
            effect=Effect.CHANGE,
        )
        shown = _await_pods(draft, (SERVICE_ACCOUNT,), "pods must have their new tokens", needs=(signed,))
        draft.add(
            Verb.SETTLE,
            reason=f"programs read their tokens anew within {settle:g} s",
            effect=Effect.WAIT,
            needs=(shown,),
            details=(f"{settle:g}",),
        )


def _await_pods(draft: Draft, leaves: Sequence[str], reason: str, needs: Iterable[str] = ()) -> str:
    return draft.add(Verb.AWAIT_PODS, reason=reason, effect=Effect.WAIT, needs=needs, details=leaves)


def plan_reissue(draft: Draft, needs: Iterable[str] = ()) -> None:
    """Make certificates before machines are looked at again, so that it is known what restarts on each."""
    reason = "the authority that signs now signs them"
    shared = draft.add(Verb.ISSUE_AUTHORITIES, reason=reason, effect=Effect.CREATE, needs=needs)
    draft.add(Verb.ISSUE_CERTIFICATES, reason=reason, effect=Effect.CREATE, needs=(shared, *needs))


def plan_renewal(cluster: ClusterId, fingerprint: str) -> Plan:
    """New versions of all certificates that the director makes, but the authorities."""
    draft = Draft()
    reason = "every certificate is made anew"
    draft.add(Verb.RENEW_LEAVES, reason=reason, effect=Effect.CREATE)
    return draft.plan(cluster, ROTATE, fingerprint)


def plan_end(cluster: ClusterId, leaves: Sequence[str], fingerprint: str) -> Plan:
    """What is left to do once every machine carries what the credential store says at the end."""
    draft = Draft()
    cleaned: tuple[str, ...] = ()
    if CA in leaves or FRONT_PROXY_CA in leaves:
        cleaned = (
            draft.add(
                Verb.FORGET_AUTHORITIES,
                reason="API servers add to the authorities they publish and never take one away",
                effect=Effect.CHANGE,
            ),
        )
    if CA in leaves:
        _await_pods(draft, (CA,), "pods must trust the authority in use alone", needs=cleaned)
    return draft.plan(cluster, ROTATE, fingerprint)


def _is_half_done(leaves: Sequence[str]) -> str:
    return (
        f"the rotation of {_listed(leaves)} is half done; go on with it (kubo rotate) or take it back "
        "(kubo rotate --undo)"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
