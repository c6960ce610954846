"""The words of the protocol, byte for byte as BOSH's own documentation gives them."""

from __future__ import annotations

import json

import pytest

from kubo_sdk.errors import KuboError, NotFound, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk_boshcpi.faults import DiskNotAttached, Unsupported, error_of, fault_of
from kubo_sdk_boshcpi.protocol import Fault, MalformedError, Request, Response, parse_request, parse_response

ErrorType = type[KuboError]
RESULT = b'{"result":{"stemcell_formats":["aws-raw","aws-light"],"api_version":2},"error":null,"log":"text"}'
ERROR = (
    '{"result":null,"error":{"type":"Bosh::Clouds::VMNotFound","message":"…","ok_to_retry":false},"log":""}'.encode()
)
REQUEST = (
    b'{"method":"create_vm","arguments":["agent","stemcell"],'
    b'"context":{"director_uuid":"d","request_id":"cpi-123456","vm":{"stemcell":{"api_version":2}}},"api_version":2}'
)


def test_a_request_is_written_and_read_byte_for_byte() -> None:
    read = parse_request(REQUEST)
    assert (read.method, read.arguments, read.api_version) == ("create_vm", ("agent", "stemcell"), 2)
    assert read.context["vm"] == {"stemcell": {"api_version": 2}}
    assert read.encode() == REQUEST


def test_a_request_without_api_version_has_no_such_key() -> None:
    assert Request(method="info").encode() == b'{"method":"info","arguments":[],"context":{}}'
    assert parse_request(b'{"method":"info","arguments":[],"context":{}}').api_version is None


@pytest.mark.parametrize("content", [RESULT, ERROR])
def test_a_response_is_written_and_read_byte_for_byte(content: bytes) -> None:
    assert parse_response(content).encode() == content


def test_a_response_always_has_its_three_keys() -> None:
    assert json.loads(Response().encode()) == {"result": None, "error": None, "log": ""}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"Starting up", "is not JSON"),
        (b"[1]", "is no JSON object"),
        (b'{"result":1,"error":null}', "lacks the key 'log'"),
        (b'{"result":1,"error":null,"log":null}', "has a log that is no text"),
        (b'{"result":1,"error":{"type":"X","message":"m"},"log":""}', "has an error without type"),
        (b'{"result":1,"error":{"type":"X","message":"m","ok_to_retry":"no"},"log":""}', "has an error without"),
        (b'{"result":1,"error":"broken","log":""}', "has an error without type"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_what_a_director_would_refuse_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(MalformedError, match=sentence):
        parse_response(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{}", "has no method"),
        (b'{"method":"info"}', "has no list of arguments"),
        (b'{"method":"info","arguments":[],"context":3}', "has a context that is no object"),
        (b'{"method":"info","arguments":[],"api_version":"2"}', "has an api_version that is no whole number"),
    ],
)
def test_a_broken_request_is_refused_with_its_reason(content: bytes, sentence: str) -> None:
    with pytest.raises(MalformedError, match=sentence):
        parse_request(content)


@pytest.mark.parametrize(
    ("type", "ok_to_retry", "kind", "retry_after"),
    [
        ("Bosh::Clouds::VMNotFound", False, NotFound, None),
        ("Bosh::Clouds::DiskNotFound", False, NotFound, None),
        ("Bosh::Clouds::NetworkNotFound", False, NotFound, None),
        ("Bosh::Clouds::StemcellNotFound", False, NotFound, None),
        ("Bosh::Clouds::DiskNotAttached", True, DiskNotAttached, 1.0),
        ("Bosh::Clouds::NoDiskSpace", False, QuotaExceeded, None),
        ("Bosh::Clouds::NoDiskSpace", True, QuotaExceeded, 1.0),
        ("Bosh::Clouds::VMCreationFailed", True, Unavailable, 1.0),
        ("Bosh::Clouds::VMCreationFailed", False, ProviderError, None),
        ("Bosh::Clouds::CloudError", False, ProviderError, None),
        ("Bosh::Clouds::CloudError", True, ProviderError, 1.0),
        ("Bosh::Clouds::CpiError", False, ProviderError, None),
        ("Bosh::Clouds::NotSupported", False, Unsupported, None),
        ("Bosh::Clouds::NotImplemented", False, Unsupported, None),
        ("SomethingElse", False, ProviderError, None),
    ],
)
def test_each_error_type_has_its_class_and_its_retry_hint(
    type: str, ok_to_retry: bool, kind: ErrorType, retry_after: float | None
) -> None:
    error = error_of(Fault(type=type, message="why", ok_to_retry=ok_to_retry), "has_vm")
    assert error.__class__ is kind
    assert getattr(error, "retry_after", None) == retry_after
    assert "why" in str(error)


@pytest.mark.parametrize(
    ("type", "message"),
    [
        ("InvalidCall", "Method is not known, got 'resize_disk'"),
        ("Bosh::Clouds::CloudError", "Invalid Method: resize_disk"),
    ],
)
def test_old_ways_to_say_not_implemented_are_known(type: str, message: str) -> None:
    assert isinstance(error_of(Fault(type=type, message=message), "resize_disk"), Unsupported)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("InstanceLimitExceeded: You have requested more instances", QuotaExceeded),
        ("Quota 'CPUS' exceeded", QuotaExceeded),
        ("Insufficient capacity", QuotaExceeded),
        ("RequestLimitExceeded: slow down", ProviderError),
        ("the weather is bad", ProviderError),
    ],
)
def test_the_words_of_a_full_account_are_known(message: str, kind: ErrorType) -> None:
    assert error_of(Fault(type="Bosh::Clouds::CloudError", message=message), "create_vm").__class__ is kind


def test_an_unknown_type_is_named_in_the_sentence() -> None:
    error = error_of(Fault(type="Aws::Weather", message="it rains"), "create_vm")
    assert str(error) == ("create_vm of the BOSH CPI failed with an error of the unknown type 'Aws::Weather': it rains")


@pytest.mark.parametrize(
    ("error", "method", "type", "ok_to_retry"),
    [
        (NotFound("gone"), "reboot_vm", "Bosh::Clouds::VMNotFound", False),
        (NotFound("gone"), "delete_disk", "Bosh::Clouds::DiskNotFound", False),
        (QuotaExceeded("full"), "create_disk", "Bosh::Clouds::NoDiskSpace", False),
        (QuotaExceeded("full"), "create_vm", "Bosh::Clouds::VMCreationFailed", False),
        (Unavailable("busy"), "create_vm", "Bosh::Clouds::VMCreationFailed", True),
        (Unavailable("busy"), "has_vm", "Bosh::Clouds::CloudError", True),
        (ProviderError("no"), "create_vm", "Bosh::Clouds::CloudError", False),
        (KuboError("no"), "create_vm", "Bosh::Clouds::CpiError", False),
        (Unsupported("no"), "resize_disk", "Bosh::Clouds::NotSupported", False),
    ],
)
def test_our_errors_have_types_that_a_director_knows(
    error: KuboError, method: str, type: str, ok_to_retry: bool
) -> None:
    fault = fault_of(error, method, own=False)
    assert (fault.type, fault.ok_to_retry) == (type, ok_to_retry)


def test_towards_our_own_provider_no_class_is_lost() -> None:
    for kind in (NotFound, QuotaExceeded, Unavailable, ProviderError):
        error = kind("why")
        back = error_of(fault_of(error, "create_vm", own=True), "create_vm")
        assert back.__class__ is kind
