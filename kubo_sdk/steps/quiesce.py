"""Takes one machine out of what others are sent to, before it goes: nobody's request ends with it."""

from __future__ import annotations

from kubo_sdk.planning.plan import Step
from kubo_sdk.steps.context import StepContext

# The units stop as their programs want to be stopped.  They are marked as not running with what was put there, so that
# a machine that stays after all is seen to differ, and is put right.
QUIESCE = """
set -eu
cd /var/lib/kubo/started
for unit; do
  if [ -e "$unit" ]; then echo - >"$unit"; fi
done
systemctl stop "$@"
"""

# Whoever sends requests to a machine asks it in between whether it is well, and then sends none.
NOTICED_SECONDS = 2.0


def quiesce(context: StepContext, step: Step) -> None:
    """Stop the units that ``details`` names, and wait until those in front of them have noticed."""
    shell = context.shell(str(step.instance))
    outcome = shell.run(["sh", "-c", QUIESCE, "sh", *step.details])
    outcome.check(f"stopping {', '.join(step.details)} on {step.instance}")
    noticed = context.clock.monotonic() + NOTICED_SECONDS
    context.wait_until(
        lambda: True if context.clock.monotonic() >= noticed else None,
        what=f"the others noticing that {step.instance} goes",
        timeout=2 * NOTICED_SECONDS,
    )
