"""Has one etcd member go on alone with its data, after the majority is lost."""

from __future__ import annotations

import secrets

from kubo_sdk.errors import QuotaExceeded, Unavailable
from kubo_sdk.nodes.etcd import data_directory
from kubo_sdk.nodes.etcd_recover import RECOVER, recovery_file
from kubo_sdk.nodes.etcd_restore import NO_ROOM
from kubo_sdk.planning.plan import Step
from kubo_sdk.steps.access import etcd_client
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.restore import new_log

# A database of some gigabytes is read, and written anew.
RECOVER_SECONDS = 600.0
SERVE_SECONDS = 60


def recover_member(context: StepContext, step: Step) -> None:
    """Have the member go on as the only one, with what is on its disk.  Whoever else was a member is one no more.

    Raises QuotaExceeded, before anything is changed, where there is no room for its data twice.
    """
    instance, spec = context.instance(step.instance), context.spec
    tool, flags = new_log(context, instance, [instance], f"{spec.director}-{spec.name}-recover-{secrets.token_hex(4)}")
    command = ["sh", "-c", RECOVER, "sh", data_directory(spec.group(instance.group)), tool, *flags]
    outcome = context.shell(instance.id).run(command, stdin=recovery_file().encode(), timeout=RECOVER_SECONDS)
    if outcome.exit_code == NO_ROOM:
        lacks = outcome.stderr.decode(errors="replace").strip()
        raise QuotaExceeded(f"there is no room to recover {instance.id}: {lacks}; give it a larger disk, or make room")
    outcome.check(f"starting the etcd member {instance.id} alone")
    client, address = etcd_client(spec, context.state), context.vm(instance.id).address

    def alone() -> bool | None:
        if not client.healthy(address):
            raise Unavailable("it does not serve yet")
        return len(client.members_at(address)) == 1 or None

    context.wait_until(alone, what=f"etcd going on with {instance.id} alone", timeout=SERVE_SECONDS)
