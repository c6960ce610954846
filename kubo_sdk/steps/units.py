"""Restarts and stops units of one machine."""

from __future__ import annotations

from kubo_sdk.planning.plan import Step
from kubo_sdk.steps.context import StepContext


def restart_units(context: StepContext, step: Step) -> None:
    """Start the units that ``details`` names anew, stopped and failed ones too."""
    _systemctl(context, step, "reset-failed", check=False)
    _systemctl(context, step, "--no-block", "restart")


def stop_units(context: StepContext, step: Step) -> None:
    """Stop the units that ``details`` names, until somebody starts them or the machine boots."""
    _systemctl(context, step, "stop")


def _systemctl(context: StepContext, step: Step, *verb: str, check: bool = True) -> None:
    if not step.details:
        return
    outcome = context.shell(str(step.instance)).run(["systemctl", *verb, *step.details])
    if check:
        outcome.check(f"systemctl {verb[-1]} of {', '.join(step.details)} on {step.instance}")
