"""Faults: what an error type of BOSH is called here, and what our errors are called there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubo_sdk.errors import (
    AuthError,
    Conflict,
    HostError,
    KuboError,
    NotFound,
    ProviderError,
    QuotaExceeded,
    ShellError,
    Unavailable,
)
from kubo_sdk_boshcpi.protocol import CLOUDS, Fault

RETRY_SECONDS = 1.0
# Types that no director knows; `kubo-cpi` uses them only towards the provider `bosh`.
OWN = "Kubo::"

# BOSH has no type for it; these are the words of the large infrastructures, but not of their rate limits.
_QUOTA = re.compile(
    r"quota|(?<!Request)LimitExceeded|limit exceeded|insufficient ?(?:instance ?)?capacity", re.IGNORECASE
)
_OWN_TYPES: tuple[type[ProviderError], ...] = (Conflict, AuthError, QuotaExceeded, Unavailable, ShellError, NotFound)


class Unsupported(ProviderError):
    """The CPI does not have the method, or not for this."""


class DiskNotAttached(ProviderError):
    """The disk is not on that machine."""


class VmNotFound(NotFound):
    """The machine is not there, told apart from the disk of the same call."""


_KINDS: Mapping[str, type[ProviderError]] = {
    "CpiError": ProviderError,
    "CloudError": ProviderError,
    "VMCreationFailed": ProviderError,
    "NoDiskSpace": QuotaExceeded,
    "DiskNotAttached": DiskNotAttached,
    "VMNotFound": NotFound,
    "DiskNotFound": NotFound,
    "NetworkNotFound": NotFound,
    "StemcellNotFound": NotFound,
}


def error_of(fault: Fault, method: str) -> KuboError:
    """The error that *fault* of *method* is here.  ``retry_after`` is set where the CPI says that it helps."""
    text = f"{method} of the BOSH CPI failed: {fault.message or 'it says no reason'}"
    retry_after = RETRY_SECONDS if fault.ok_to_retry else None
    if _is_unsupported(fault):
        return Unsupported(text)
    if fault.type.startswith(OWN):
        return _own(fault, text, retry_after)
    kind = _KINDS.get(fault.name)
    if kind is None:
        text = f"{method} of the BOSH CPI failed with an error of the unknown type {fault.type!r}: {fault.message}"
        return ProviderError(text, retry_after=retry_after)
    if kind is ProviderError and _QUOTA.search(fault.message) and not fault.ok_to_retry:
        kind = QuotaExceeded
    if fault.name == "VMCreationFailed" and fault.ok_to_retry:
        kind = Unavailable
    return kind(text, retry_after=retry_after)


def _is_unsupported(fault: Fault) -> bool:
    """Both types, and the two ways old CPIs say it."""
    return (
        fault.name in ("NotSupported", "NotImplemented")
        or (fault.type == "InvalidCall" and fault.message.startswith("Method is not known"))
        or (fault.name == "CloudError" and fault.message.startswith("Invalid Method:"))
    )


def _own(fault: Fault, text: str, retry_after: float | None) -> KuboError:
    name = fault.type.removeprefix(OWN)
    if name == HostError.__name__:
        return HostError(text)
    kind = next((kind for kind in _OWN_TYPES if kind.__name__ == name), ProviderError)
    return kind(text, retry_after=retry_after)


def fault_of(error: KuboError, method: str, *, own: bool) -> Fault:
    """What *error* of *method* is to the caller.  *own*: the caller is the provider `bosh` and knows our types."""
    retry = getattr(error, "retry_after", None) is not None
    name = _bosh_name(error, method, retry=retry)
    if own and name in ("CloudError", "CpiError", "VMCreationFailed", "NoDiskSpace"):
        kinds = (*_OWN_TYPES, HostError)
        kind = next((kind for kind in kinds if isinstance(error, kind)), None)
        if kind is not None:
            return Fault(type=f"{OWN}{kind.__name__}", message=str(error), ok_to_retry=retry)
    return Fault(type=f"{CLOUDS}{name}", message=str(error), ok_to_retry=retry)


def _bosh_name(error: KuboError, method: str, *, retry: bool) -> str:
    if isinstance(error, Unsupported):
        return "NotSupported"
    if isinstance(error, NotFound) and method not in ("create_vm", "create_disk"):
        about_vm = isinstance(error, VmNotFound) or "disk" not in method
        return "VMNotFound" if about_vm else "DiskNotFound"
    if not isinstance(error, ProviderError):
        return "CpiError"
    if method == "create_vm" and (retry or isinstance(error, QuotaExceeded)):
        return "VMCreationFailed"
    return "NoDiskSpace" if method == "create_disk" and isinstance(error, QuotaExceeded) else "CloudError"
