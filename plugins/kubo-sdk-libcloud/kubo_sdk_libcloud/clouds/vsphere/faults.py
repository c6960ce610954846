"""What vCenter's faults mean, as the errors of `kubo_sdk.errors`."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from pyVmomi import vim, vmodl

from kubo_sdk.errors import AuthError, Conflict, KuboError, NotFound, ProviderError, QuotaExceeded, Unavailable

_LATER_SECONDS = 2.0
_KINDS: tuple[tuple[type[Exception], type[ProviderError], str], ...] = (
    (vim.fault.InvalidLogin, AuthError, "check the user and password"),
    (vim.fault.NoPermission, AuthError, "give the user's role that privilege"),
    (vmodl.fault.ManagedObjectNotFound, NotFound, ""),
    (vim.fault.NotFound, NotFound, ""),
    (vim.fault.DuplicateName, Conflict, ""),
    (vim.fault.AlreadyExists, Conflict, ""),
    (vim.fault.InsufficientResourcesFault, QuotaExceeded, "free some or add hosts"),
    (vim.fault.NoDiskSpace, QuotaExceeded, "free some or add a datastore"),
    (vim.fault.TaskInProgress, Unavailable, ""),
    (vim.fault.InvalidState, Unavailable, ""),
    (vim.fault.HostConnectFault, Unavailable, ""),
    (vmodl.fault.SystemError, Unavailable, ""),
    (vmodl.fault.HostCommunication, Unavailable, ""),
)


def told(what: str, fault: BaseException) -> ProviderError:
    """The error for a fault.  *what* says who was asked for what."""
    said = f"{type(fault).__name__.rsplit('.', 1)[-1]}: {' '.join(str(getattr(fault, 'msg', '')).split())}".rstrip(": ")
    privilege = getattr(fault, "privilegeId", "")
    said = f"{said} ({privilege})" if privilege else said
    for known, kind, remedy in _KINDS:
        if isinstance(fault, known):
            message = f"{what} was refused: {said}{f'; {remedy}' if remedy else ''}"
            return Unavailable(message, retry_after=_LATER_SECONDS) if kind is Unavailable else kind(message)
    return ProviderError(f"{what} failed: {said}")


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Whatever pyvmomi raises within becomes an error of `kubo_sdk.errors` that begins with *what*."""
    try:
        yield
    except KuboError:
        raise
    except vmodl.MethodFault as fault:
        raise told(what, fault) from None
    except ssl.SSLError as error:
        reason = error.reason or type(error).__name__
        raise AuthError(f"{what}: the certificate is not trusted ({reason}); name its ca_file") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{what} got no answer: {type(error).__name__}", retry_after=_LATER_SECONDS) from None
