"""Every error of the SDK.

::

    KuboError                       an expected trouble: one clear sentence, no traceback for the user
    ├── ConfigError                 the spec is wrong; carries every problem with its file and line
    ├── PluginError                 a plugin is broken, missing or clashes with another
    ├── HostError                   this host cannot do what is asked (not root, no package, no space)
    ├── LeaseHeld                   another process is working on the cluster
    ├── UnsafePlan                  the plan would cost what an operator would regret
    ├── PlanOutdated                the world moved since the plan was made
    ├── Cancelled                   the user stopped the operation; run it again to go on
    ├── DeployFailed                some steps failed; carries each one
    └── ProviderError               an outside system said no; ``retry_after`` says whether to ask again
        ├── NotFound
        ├── Conflict                it exists already, with other content or another owner
        ├── QuotaExceeded
        ├── AuthError               wrong key, password, certificate or right
        ├── Unavailable             try again
        └── ShellError              a command on a machine failed

A message says what, where and what to do: lower case, no full stop, the remedy last.
"""

from __future__ import annotations

from collections.abc import Sequence


class KuboError(Exception):
    """An expected trouble, told in one sentence."""

    exit_code = 1


class ConfigError(KuboError):
    """The spec is wrong.  ``problems`` holds every one found, each a full sentence with its place."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class PluginError(KuboError):
    """A plugin is broken, missing, or claims a name that is taken."""

    exit_code = 3


class HostError(KuboError):
    """This host cannot do what is asked of it."""

    exit_code = 4


class LeaseHeld(KuboError):
    """Another living process is working on the cluster."""

    exit_code = 5


class UnsafePlan(KuboError):
    """The plan would cost what an operator would regret; ``force`` is an argument of that one call."""

    exit_code = 6


class PlanOutdated(KuboError):
    """The world moved since the plan was made; plan again."""

    exit_code = 7


class Cancelled(KuboError):
    """The user stopped the operation between two steps; running it again goes on from there."""

    exit_code = 130


class DeployFailed(KuboError):
    """Some steps failed.  ``failures`` holds (step title, error) for each."""

    exit_code = 8

    def __init__(self, failures: Sequence[tuple[str, BaseException]]) -> None:
        self.failures = tuple(failures)
        super().__init__("; ".join(f"{title}: {error}" for title, error in self.failures))


class ProviderError(KuboError):
    """An outside system said no.

    ``retry_after`` is the number of seconds after which asking again makes sense, or None when it never does, as with
    NotFound, Conflict, QuotaExceeded and AuthError.  A call that is turned down because there were too many has one.
    """

    exit_code = 9

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class NotFound(ProviderError):
    """It is not there."""


class Conflict(ProviderError):
    """It is there already, with other content or another owner."""


class QuotaExceeded(ProviderError):
    """The account, disk or host has no room left."""


class AuthError(ProviderError):
    """Wrong key, password, certificate or right."""


class Unavailable(ProviderError):
    """It does not answer now; ask again."""

    def __init__(self, message: str, *, retry_after: float | None = 0.25) -> None:
        super().__init__(message, retry_after=retry_after)


class ShellError(ProviderError):
    """A command on a machine failed."""
