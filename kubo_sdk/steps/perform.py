"""Which function performs which verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kubo_sdk.planning.plan import Step, Verb
from kubo_sdk.steps import (
    configure,
    control_plane,
    credentials,
    drain,
    endpoints,
    install_release,
    machines,
    members,
    names,
    pods,
    prepare,
    quiesce,
    recovery,
    restore,
    rollback,
    rotation,
    secrets,
    settling,
    units,
)
from kubo_sdk.steps.context import StepContext

PERFORMERS: Mapping[Verb, Callable[[StepContext, Step], None]] = {
    Verb.FETCH_RELEASE: machines.fetch_release,
    Verb.PREPARE_INFRASTRUCTURE: machines.prepare_infrastructure,
    Verb.ISSUE_AUTHORITIES: credentials.issue_authorities,
    Verb.CREATE_DISK: machines.create_disk,
    Verb.CREATE_VM: machines.create_vm,
    Verb.REBOOT_VM: machines.reboot_vm,
    Verb.ENSURE_ENDPOINTS: endpoints.ensure_endpoints,
    Verb.ISSUE_CERTIFICATES: credentials.issue_certificates,
    Verb.PREPARE_INSTANCE: prepare.prepare_instance,
    Verb.INSTALL_RELEASE: install_release.install_release,
    Verb.CONFIGURE_INSTANCE: configure.configure_instance,
    Verb.SECURE_ETCD: control_plane.secure_etcd,
    Verb.START_UNITS: configure.start_instance_units,
    Verb.AWAIT_API: control_plane.await_api,
    Verb.BOOTSTRAP_CLUSTER: control_plane.bootstrap_cluster,
    Verb.AWAIT_INSTANCE: rollback.await_or_roll_back,
    Verb.PUBLISH_NAMES: names.publish_names,
    Verb.DRAIN: drain.drain,
    Verb.UNCORDON: drain.uncordon,
    Verb.DELETE_NODE: drain.delete_node,
    Verb.MOVE_LEADER: members.move_leadership,
    Verb.JOIN_MEMBER: members.join_member,
    Verb.PROMOTE_MEMBER: members.promote_member,
    Verb.REMOVE_MEMBER: members.remove_member,
    Verb.RECOVER_MEMBER: recovery.recover_member,
    Verb.STAGE_SNAPSHOT: restore.stage_snapshot,
    Verb.REPLACE_DATA: restore.replace_data,
    Verb.FORGET_LEASES: restore.forget_leases,
    Verb.FORGET_NODES: restore.forget_nodes,
    Verb.RESTART_UNITS: units.restart_units,
    Verb.STOP_UNITS: units.stop_units,
    Verb.QUIESCE: quiesce.quiesce,
    Verb.TRUST_SUCCESSORS: rotation.trust_successors,
    Verb.SWITCH_SIGNERS: rotation.switch_signers,
    Verb.SWITCH_BACK: rotation.switch_back,
    Verb.DROP_OLD: rotation.drop_old,
    Verb.RENEW_LEAVES: rotation.renew_leaves,
    Verb.REWRITE_SECRETS: secrets.rewrite_secrets,
    Verb.RESIGN_TOKENS: secrets.resign_tokens,
    Verb.AWAIT_PODS: pods.await_pods,
    Verb.SETTLE: settling.settle,
    Verb.FORGET_AUTHORITIES: settling.forget_authorities,
    Verb.RETIRE_CREDENTIALS: credentials.retire_credentials,
    Verb.DELETE_ENDPOINTS: endpoints.delete_endpoints,
    Verb.DELETE_NAMES: names.delete_names,
    Verb.DELETE_VM: machines.delete_vm,
    Verb.DELETE_DISK: machines.delete_disk,
    Verb.DISPOSE_INFRASTRUCTURE: machines.dispose_infrastructure,
    Verb.DELETE_CREDENTIALS: credentials.delete_credentials,
}


def perform(context: StepContext, step: Step) -> None:
    """Do what *step* says.  May be called again after any interruption."""
    PERFORMERS[step.verb](context, step)
