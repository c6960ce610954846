"""Answering: from the bytes of a request to the bytes of its response, whatever goes wrong on the way."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from kubo_sdk.errors import KuboError
from kubo_sdk_boshcpi.faults import fault_of
from kubo_sdk_boshcpi.protocol import (
    CLOUDS,
    HIGHEST_VERSION,
    Fault,
    MalformedError,
    Request,
    Response,
    parse_request,
)
from kubo_sdk_boshcpi.redaction import Redactor, sensitive
from kubo_sdk_boshcpi.server.methods import Method, methods
from kubo_sdk_boshcpi.server.settings import Settings

log = logging.getLogger(__name__)

CPI_ERROR, NOT_IMPLEMENTED = f"{CLOUDS}CpiError", f"{CLOUDS}NotImplemented"


def answer(content: bytes, settings: Settings) -> Response:
    """The response to the request in *content*; its log is still empty."""
    try:
        request = parse_request(content)
    except MalformedError as error:
        return Response(fault=Fault(type=CPI_ERROR, message=f"the request {error}"))
    if request.api_version is not None and not 1 <= request.api_version <= HIGHEST_VERSION:
        message = f"api_version {request.api_version} is not known; the highest is {HIGHEST_VERSION}"
        return Response(fault=Fault(type=NOT_IMPLEMENTED, message=message))
    method = methods(settings, request).get(request.method)
    if method is None:
        return Response(fault=Fault(type=NOT_IMPLEMENTED, message=f"the method {request.method!r} is not known"))
    if not _fits(method, request.arguments):
        message = f"{request.method} does not take {len(request.arguments)} arguments"
        return Response(fault=Fault(type=CPI_ERROR, message=message))
    redactor = redactor_of(settings, request)
    fault = None
    try:
        return Response(result=method(*request.arguments))
    except KuboError as error:
        fault = fault_of(error, request.method, own="kubo" in request.context)
    except Exception as error:  # a director wants an answer, and gets one
        log.debug("%s failed", request.method, exc_info=True)
        fault = Fault(type=CPI_ERROR, message=f"{request.method} failed: {type(error).__name__}: {error}")
    return Response(fault=Fault(type=fault.type, message=redactor.text(fault.message), ok_to_retry=fault.ok_to_retry))


def redactor_of(settings: Settings, request: Request | None) -> Redactor:
    """What takes out the secrets of the options and of the request."""
    known = Redactor(tuple(sensitive(settings.options)))
    if request is None:
        return known
    return known.knowing((*sensitive(request.arguments), *sensitive(request.context)))


def _fits(method: Method, arguments: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(method).bind(*arguments)
    except TypeError:
        return False
    return True
