"""Waits for machines with another release, which are on trial: one that does not come back gets what it had before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import fields, frozen

from kubo_sdk.errors import ProviderError, ShellError, Unavailable
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.nodes.push import prove, roll_back
from kubo_sdk.planning.plan import Step
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.control_plane import GO_ON, await_instance
from kubo_sdk.steps.drain import uncordon

T = TypeVar("T")

# The units whose programs are those of the release.
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")

# A program that ended so often since it was started is no good, however long one waits.  $@ are units; the answer names
# the first such unit, how often it ended, and the last it said.
CRASHED = """
for unit; do
  ended=$(systemctl show --property=NRestarts --value "$unit")
  if [ "${ended:-0}" -ge 5 ]; then
    echo "$unit ended $ended times"
    journalctl --quiet --no-pager --output=cat --lines=1 "_SYSTEMD_UNIT=$unit"
    exit 1
  fi
done
"""
LONGEST_WORDS = 200


class Crashed(ShellError):
    """A program of the new release does not stay up."""


@frozen(kw_only=True)
class _Watched(StepContext):
    """A context whose waits end early when a program of the machine does not stay up."""

    crashed: Callable[[], None]

    def wait_until(self, probe: Callable[[], T | None], *, what: str, timeout: float) -> T:
        def watched() -> T | None:
            try:
                found = probe()
            except Unavailable:
                self.crashed()
                raise
            if found is None:
                self.crashed()
            return found

        return super().wait_until(watched, what=what, timeout=timeout)


def await_or_roll_back(context: StepContext, step: Step) -> None:
    """Wait until the instance serves.  One on trial is proved then, or else rolled back, and Unavailable says so.

    A machine that a killed run left on trial is treated alike.
    """
    instance = context.instance(step.instance)
    if instance.id not in context.state.on_trial:
        await_instance(context, step)
        return
    try:
        await_instance(_watched(context, instance, step), step)
    except (Unavailable, Crashed) as error:
        reason = str(error).removesuffix(f"; {GO_ON}")
        raise Unavailable(_went_back(context, instance, step, reason), retry_after=None) from None
    prove(context.shell(instance.id))
    context.state.on_trial.discard(instance.id)


def _watched(context: StepContext, instance: Instance, step: Step) -> StepContext:
    shell = context.shell(instance.id)
    units = [unit for unit in step.details if unit.removesuffix(".service") in PROGRAMS]

    def crashed() -> None:
        outcome = shell.run(["sh", "-c", CRASHED, "sh", *units])
        if outcome.exit_code:
            unit, _, said = outcome.stdout.decode(errors="replace").strip().partition("\n")
            raise Crashed(f"{unit}, last saying: {said.strip()[:LONGEST_WORDS]}" if said.strip() else unit)

    known: dict[str, Any] = {field.name: getattr(context, field.name) for field in fields(type(context))}
    return _Watched(**known, crashed=crashed)


def _went_back(context: StepContext, instance: Instance, step: Step, reason: str) -> str:
    """Roll the machine back and wait until it serves; the sentence about both."""
    new = context.release().carried
    before = context.state.manifests.get(instance.id)
    old = next((release for release in before.releases if release != new), None) if before is not None else None
    head = f"{instance.id} did not come back with Kubernetes {new} ({reason})"
    context.say(f"{instance.id} does not come back and is rolled back")
    try:
        if not roll_back(context.shell(instance.id)):
            return f"{head}, and keeps nothing to go back to; kubo check says how it is, kubo recreate makes it anew"
        await_instance(context, step)
        if instance.role is Role.WORKER:
            uncordon(context, step)
    except ProviderError as error:
        told = str(error).removesuffix(f"; {GO_ON}")
        return f"{head}, and does not serve with what it had before either ({told}); kubo check says what is wrong"
    context.state.on_trial.discard(instance.id)
    return (
        f"{head} and was rolled back to {old or 'what it had before'}; nothing was changed after it: put the release "
        "right and the same command goes on, or write what it had before into the spec"
    )
