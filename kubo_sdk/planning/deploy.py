"""Plans a deploy: from what is there to what the spec wishes for.  A fresh cluster and a half-made one are the same."""

from __future__ import annotations

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.limits import check_deploy
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb

# A change of a running machine of these roles waits for the one before it, so that quorum and the API stay.
ONE_AT_A_TIME = (Role.ETCD, Role.MASTER)


def plan_deploy(spec: ClusterSpec, observation: Observation, abilities: Abilities) -> Plan:
    """The steps that make the world what *spec* says.  Raises ConfigError or UnsafePlan."""
    check_deploy(spec, observation, abilities)
    draft = Draft()
    _machines(draft, spec, observation, abilities)
    _identities(draft, observation)
    _configuration(draft, observation, abilities)
    _control_plane(draft, observation)
    _workers(draft, observation)
    if abilities.publishes_names and observation.missing_names:
        draft.add(
            Verb.PUBLISH_NAMES,
            reason=f"{len(observation.missing_names)} records are missing or outdated",
            effect=Effect.CHANGE,
            needs=(*draft.ids(Verb.CREATE_VM), Verb.ENSURE_ENDPOINTS),
            details=observation.missing_names,
        )
    return draft.plan(spec.id, "deploy", observation.fingerprint)


def _machines(draft: Draft, spec: ClusterSpec, observation: Observation, abilities: Abilities) -> None:
    absent = [view for view in observation.instances if not view.exists]
    if not observation.release_cached:
        draft.add(
            Verb.FETCH_RELEASE,
            reason=f"Kubernetes {spec.kubernetes.version} is not in the cache",
            effect=Effect.CREATE,
        )
    stopped = [view for view in observation.instances if view.is_stopped]
    if absent or stopped:
        draft.add(
            Verb.PREPARE_INFRASTRUCTURE,
            reason=f"{len(absent)} machines will be created, {len(stopped)} started",
            effect=Effect.CREATE,
        )
    for view in observation.instances:
        _machine(draft, spec, view, abilities)


def _machine(draft: Draft, spec: ClusterSpec, view: InstanceView, abilities: Abilities) -> None:
    instance = view.instance
    wants_disk = abilities.disks and spec.group(instance.group).persistent_disk_mb > 0
    if wants_disk and view.disk is None:
        draft.add(
            Verb.CREATE_DISK,
            instance=instance.id,
            reason="it has no persistent disk",
            effect=Effect.CREATE,
            needs=[Verb.PREPARE_INFRASTRUCTURE],
        )
    if not view.exists:
        draft.add(
            Verb.CREATE_VM,
            instance=instance.id,
            reason="it has no machine" if view.vm is None else "its machine is half made",
            effect=Effect.CREATE,
            needs=[Verb.FETCH_RELEASE, Verb.PREPARE_INFRASTRUCTURE, f"{Verb.CREATE_DISK} {instance.id}"],
        )
    elif view.is_stopped:
        draft.add(
            Verb.REBOOT_VM,
            instance=instance.id,
            reason="its machine is stopped",
            effect=Effect.RESTART,
            needs=[Verb.PREPARE_INFRASTRUCTURE],
        )


def _identities(draft: Draft, observation: Observation) -> None:
    created = draft.ids(Verb.CREATE_VM)
    if observation.missing_authorities:
        draft.add(
            Verb.ISSUE_AUTHORITIES,
            reason=f"{len(observation.missing_authorities)} credentials are missing or outdated",
            effect=Effect.CREATE,
            # An infrastructure that cannot carry the cluster is found out before anything is made for it.
            needs=[Verb.PREPARE_INFRASTRUCTURE],
            details=observation.missing_authorities,
        )
    if created or not observation.endpoints_current:
        draft.add(
            Verb.ENSURE_ENDPOINTS,
            reason="machines behind the endpoints change",
            effect=Effect.CHANGE,
            needs=created,
        )
    if created or observation.missing_certificates:
        draft.add(
            Verb.ISSUE_CERTIFICATES,
            reason="certificates of machines are missing or outdated",
            effect=Effect.CREATE,
            needs=(Verb.ISSUE_AUTHORITIES, Verb.ENSURE_ENDPOINTS, *created),
            details=observation.missing_certificates,
        )


def _configuration(draft: Draft, observation: Observation, abilities: Abilities) -> None:
    """Unknown drift (a machine, an address or a certificate is still to come) always means: configure."""
    unsettled = bool(draft.ids(Verb.CREATE_VM)) or Verb.ISSUE_CERTIFICATES in draft or Verb.ISSUE_AUTHORITIES in draft
    previous: dict[Role, str] = {}
    for view in observation.instances:
        drift = view.drift
        if not unsettled and drift is not None and drift.is_empty:
            continue
        instance = view.instance
        before = [
            Verb.ISSUE_AUTHORITIES,
            Verb.ISSUE_CERTIFICATES,
            Verb.ENSURE_ENDPOINTS,
            f"{Verb.CREATE_VM} {instance.id}",
            f"{Verb.REBOOT_VM} {instance.id}",
        ]
        if not abilities.shares_trees and not view.configured:
            before.append(
                draft.add(
                    Verb.INSTALL_RELEASE,
                    instance=instance.id,
                    reason="the machine has no Kubernetes software",
                    effect=Effect.CREATE,
                    needs=(Verb.FETCH_RELEASE, *before),
                )
            )
        if view.configured and instance.role in ONE_AT_A_TIME and instance.role in previous:
            before.append(previous[instance.role])
        step = draft.add(
            Verb.CONFIGURE_INSTANCE,
            instance=instance.id,
            reason=_why(view),
            effect=Effect.RESTART if drift is not None and drift.units and view.configured else Effect.CHANGE,
            needs=before,
            details=drift.units if drift is not None else (),
        )
        if instance.role in ONE_AT_A_TIME:
            previous[instance.role] = draft.add(
                Verb.AWAIT_INSTANCE,
                instance=instance.id,
                reason="it must serve before the work goes on",
                effect=Effect.WAIT,
                needs=[step],
                details=drift.units if drift is not None and view.configured else (),
            )


def _why(view: InstanceView) -> str:
    if not view.configured:
        return "its machine is new"
    if view.drift is None:
        return "certificates or addresses of the cluster change"
    return f"{len(view.drift.files)} files and {len(view.drift.units)} units differ"


def _control_plane(draft: Draft, observation: Observation) -> None:
    configured = draft.ids(Verb.CONFIGURE_INSTANCE)
    if observation.recorded.get("etcd-access") != observation.wished.get("etcd-access"):
        draft.add(
            Verb.SECURE_ETCD,
            reason="etcd's users and their rights are not as wished",
            effect=Effect.CHANGE,
            needs=configured_of(draft, observation, Role.ETCD),
        )
    front = configured_of(draft, observation, Role.MASTER) + configured_of(draft, observation, Role.PROXY)
    if front or not observation.api_ready:
        draft.add(
            Verb.AWAIT_API,
            reason="the API must answer through its endpoint",
            effect=Effect.WAIT,
            needs=(*front, Verb.SECURE_ETCD, Verb.ENSURE_ENDPOINTS),
        )
    if observation.recorded != observation.wished:
        draft.add(
            Verb.BOOTSTRAP_CLUSTER,
            reason="the cluster's own objects are not as wished",
            effect=Effect.CHANGE,
            needs=(Verb.AWAIT_API, Verb.SECURE_ETCD, *(configured if Verb.AWAIT_API not in draft else ())),
        )


def configured_of(draft: Draft, observation: Observation, role: Role) -> tuple[str, ...]:
    """The configure steps of one role, as far as the plan has them."""
    ids = (f"{Verb.CONFIGURE_INSTANCE} {v.instance.id}" for v in observation.instances if v.instance.role is role)
    return tuple(step for step in ids if step in draft)


def _workers(draft: Draft, observation: Observation) -> None:
    for view in observation.instances:
        instance = view.instance
        if instance.role is not Role.WORKER:
            continue
        configure = f"{Verb.CONFIGURE_INSTANCE} {instance.id}"
        unstarted = view.drift.unstarted if view.drift is not None else ()
        if not view.exists or not view.configured or unstarted:
            draft.add(
                Verb.START_UNITS,
                instance=instance.id,
                reason="units that wait for the API have not been started",
                effect=Effect.CHANGE,
                needs=(configure, Verb.AWAIT_API),
                details=unstarted,
            )
        if configure in draft or f"{Verb.START_UNITS} {instance.id}" in draft or not view.ready:
            draft.add(
                Verb.AWAIT_INSTANCE,
                instance=instance.id,
                reason="its Node must be Ready",
                effect=Effect.WAIT,
                needs=(configure, f"{Verb.START_UNITS} {instance.id}", Verb.AWAIT_API, Verb.BOOTSTRAP_CLUSTER),
            )
