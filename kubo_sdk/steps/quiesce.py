"""Takes one machine out of what others are sent to, before it goes: nobody's request ends with it."""

from __future__ import annotations

from kubo_sdk.errors import KuboError
from kubo_sdk.planning.plan import Effect, Step
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.endpoints import withdraw

# The units stop as their programs want to be stopped; one that was never put there is none to stop.  They are marked as
# not running with what was put there, so that a machine that stays after all is seen to differ, and is put right.
QUIESCE = """
set -eu
cd /var/lib/kubo/started
stopped=
for unit; do
  if [ -e "$unit" ]; then echo - >"$unit"; stopped="$stopped $unit"; fi
done
if [ -n "$stopped" ]; then systemctl stop $stopped; fi
"""

# Whoever sends requests to a machine asks it in between whether it is well, and then sends none.
NOTICED_SECONDS = 2.0
STOP_SECONDS = 60.0
# A cluster that is deleted waits for no machine that hangs.
LEAVING_SECONDS = 30.0


def quiesce(context: StepContext, step: Step) -> None:
    """Stop the units that ``details`` names, and wait until those in front of them have noticed.

    A balancer outside may take long to notice, so it is told before.  Where the whole cluster goes nobody waits, and a
    machine that cannot be asked any more goes all the same.
    """
    if step.effect is Effect.DELETE:
        try:
            _stop(context, step, LEAVING_SECONDS)
        except KuboError as error:
            context.say(f"{step.instance} goes without having been asked to leave: {error}")
        return
    withdraw(context, str(step.instance))
    _stop(context, step, STOP_SECONDS)
    noticed = context.clock.monotonic() + NOTICED_SECONDS
    context.wait_until(
        lambda: True if context.clock.monotonic() >= noticed else None,
        what=f"the others noticing that {step.instance} goes",
        timeout=2 * NOTICED_SECONDS,
    )


def _stop(context: StepContext, step: Step, seconds: float) -> None:
    command = ["sh", "-c", QUIESCE, "sh", *step.details]
    outcome = context.shell(str(step.instance)).run(command, timeout=seconds)
    outcome.check(f"stopping {', '.join(step.details)} on {step.instance}")
