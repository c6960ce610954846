"""Plans what the control plane needs beside its machines: etcd's users, an API that answers, the cluster's objects."""

from __future__ import annotations

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.configuration import configured
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.situation import Situation


def plan_control_plane(draft: Draft, situation: Situation) -> None:
    """The steps between configured machines and an API that is as wished for."""
    observation = situation.observation
    if observation.recorded.get("etcd-access") != observation.wished.get("etcd-access"):
        draft.add(
            Verb.SECURE_ETCD,
            reason="etcd's users and their rights are not as wished",
            effect=Effect.CHANGE,
            needs=configured(draft, situation, Role.ETCD),
        )
    front = configured(draft, situation, Role.MASTER) + configured(draft, situation, Role.PROXY)
    if front or not observation.api_ready:
        draft.add(
            Verb.AWAIT_API,
            reason="the API must answer through its endpoint",
            effect=Effect.WAIT,
            needs=(*front, Verb.SECURE_ETCD, Verb.ENSURE_ENDPOINTS, *draft.ids(Verb.REBOOT_VM)),
        )
    if observation.recorded != observation.wished:
        waited = draft.ids(Verb.CONFIGURE_INSTANCE) if Verb.AWAIT_API not in draft else ()
        draft.add(
            Verb.BOOTSTRAP_CLUSTER,
            reason="the cluster's own objects are not as wished",
            effect=Effect.CHANGE,
            needs=(Verb.AWAIT_API, Verb.SECURE_ETCD, *waited),
        )
