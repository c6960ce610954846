"""What EC2's refusals mean: its codes as the errors of `kubo_sdk.errors`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree as ET

from libcloud.common.types import LibcloudError

from kubo_sdk.errors import AuthError, Conflict, KuboError, NotFound, ProviderError, QuotaExceeded, Unavailable

# Seconds after which asking again makes sense: after too many calls, after trouble there, while others still use it.
THROTTLED, TROUBLE, IN_USE = 3.0, 2.0, 5.0

_WORDS = """
throttled RequestLimitExceeded Throttling ThrottlingException TooManyRequestsException EC2ThrottledException SlowDown
throttled RequestThrottled BandwidthLimitExceeded
no-room InstanceLimitExceeded VcpuLimitExceeded InsufficientInstanceCapacity InsufficientHostCapacity
no-room InsufficientReservedInstanceCapacity InsufficientAddressCapacity InsufficientFreeAddressesInSubnet
no-room InsufficientVolumeCapacity InsufficientCapacity VolumeLimitExceeded MaxIOPSLimitExceeded Unsupported
no-room AttachmentLimitExceeded ResourceLimitExceeded RulesPerSecurityGroupLimitExceeded SecurityGroupLimitExceeded
no-room SecurityGroupsPerInstanceLimitExceeded AddressLimitExceeded NetworkInterfaceLimitExceeded TagLimitExceeded
no-room TooManyLoadBalancers PrivateIpAddressLimitExceeded
not-allowed AuthFailure UnauthorizedOperation Blocked OptInRequired SignatureDoesNotMatch InvalidClientTokenId
not-allowed UnrecognizedClientException MissingAuthenticationToken IncompleteSignature RequestExpired ExpiredToken
not-allowed ExpiredTokenException AccessDenied AccessDeniedException InvalidAccessKeyId PendingVerification
in-use DependencyViolation InvalidGroup.InUse ResourceInUse
taken VolumeInUse IncorrectState IncorrectInstanceState InvalidGroup.Duplicate
absent InvalidInstance LoadBalancerNotFound
trouble InternalError InternalFailure ServiceUnavailable Unavailable RequestTimeout
"""
_KINDS = {code: kind for kind, *codes in map(str.split, _WORDS.strip().splitlines()) for code in codes}
_ABSENT = re.compile(r"(\.NotFound|\.Malformed|NotFoundException)$")
_STATUSES = {401: "not-allowed", 403: "not-allowed", 429: "throttled"}
_TRUST = re.compile(r"certificate|SSL", re.IGNORECASE)


class Refusal(Exception):
    """EC2 said no.  ``code`` is its word, such as ``InvalidInstanceID.NotFound``; empty where there was none."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(f"{status} {code}: {message}")

    @classmethod
    def read(cls, status: int, body: str) -> Refusal:
        """From the body of an answer, without name spaces; one that is no XML says nothing."""
        try:
            error = ET.fromstring(body).find(".//Error")  # noqa: S314 - an answer of the API that was asked
        except ET.ParseError:
            error = None
        if error is None:
            return cls(status, "", "")
        return cls(status, (error.findtext("Code") or "").strip(), (error.findtext("Message") or "").strip())


def told(what: str, code: str, message: str, status: int = 400) -> ProviderError:
    """The error for a refusal.  *what* says who was asked for what: ``EC2 in eu-1: making worker/0``."""
    said = " ".join(f"{code}: {message}".split())[:400] if code else f"HTTP {status}"
    errors: dict[str, ProviderError] = {
        "throttled": Unavailable(f"{what} was turned down because of too many calls ({said})", retry_after=THROTTLED),
        "no-room": QuotaExceeded(
            f"{what} found no room ({said}); raise the quota, choose another type or zone, or delete what is not needed"
        ),
        "not-allowed": AuthError(
            f"{what} was refused ({said}); check the credentials and the IAM policy in the plugin's README"
        ),
        "in-use": Unavailable(f"{what} has to wait, for it is still used ({said})", retry_after=IN_USE),
        "absent": NotFound(f"{what}: it is not there ({said})"),
        "taken": Conflict(f"{what} was refused in this state ({said})"),
        "trouble": Unavailable(f"{what} failed there ({said})", retry_after=TROUBLE),
        "": ProviderError(f"{what} was refused ({said})"),
    }
    return errors[_kind(code, status)]


def is_throttled(code: str) -> bool:
    """Whether that word means too many calls."""
    return _KINDS.get(code) == "throttled"


def _kind(code: str, status: int) -> str:
    if code in _KINDS:
        return _KINDS[code]
    if _ABSENT.search(code):
        return "absent"
    if status >= 500:
        return "trouble"
    return _STATUSES.get(status, "") if not code or status == 429 else ""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Whatever libcloud and the network raise within becomes an error of `kubo_sdk.errors` that begins with *what*."""
    try:
        yield
    except KuboError:
        raise
    except Refusal as refusal:
        raise told(what, refusal.code, refusal.message, refusal.status) from refusal
    except OSError as error:  # requests' own are of this kind
        if type(error).__name__ == "SSLError" or (_TRUST.search(str(error)) and "HTTPS" in str(error)):
            raise AuthError(
                f"{what}: the certificate of the API is not trusted; name its authority in ca_file"
            ) from None
        remedy = "check the network, and that there is such a region"
        raise Unavailable(f"{what} got no answer ({type(error).__name__}); {remedy}", retry_after=TROUBLE) from None
    except LibcloudError as error:
        raise Unavailable(
            f"{what} got an answer nobody understands ({type(error).__name__})", retry_after=TROUBLE
        ) from None
