"""The endpoints below ``/api/v1/certificates``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509

from . import setting, words
from .vault import Entry
from .views import about, view
from .web import Answer
from .words import Refused

if TYPE_CHECKING:
    from .service import Call

ROOT = "/api/v1/certificates"


def answer(call: Call) -> Answer | None:
    parts = call.request.path.removeprefix(ROOT).strip("/").split("/")
    match call.request.method, parts:
        case "GET", [""]:
            return _list(call)
        case "GET", [certificate_id, "versions"]:
            return _versions(call, call.vault.by_id(certificate_id))
        case "POST", [certificate_id, "versions"]:
            return _add(call, call.vault.by_id(certificate_id))
        case "DELETE", [certificate_id, "versions", version_id]:
            return _delete(call, call.vault.by_id(certificate_id), version_id)
        case "POST", [certificate_id, "regenerate"]:
            return _regenerate(call, call.vault.by_id(certificate_id))
        case "PUT", [certificate_id, "update_transitional_version"]:
            return _mark(call, call.vault.by_id(certificate_id))
    return None


def _list(call: Call) -> Answer:
    entries = [entry for entry in call.vault.entries.values() if entry.type == "certificate"]
    if "name" in call.query:
        name = "/" + call.query["name"].lstrip("/")
        call.require("read", name)
        entries = [entry for entry in entries if entry.name.lower() == name.lower()]
        if not entries:
            raise Refused(404, words.ACCESS)
    shown = [_about(call, entry) for entry in entries if call.may("read", entry.name)]
    return Answer(200, {"certificates": shown})


def _about(call: Call, entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "id": entry.id,
        "signed_by": entry.versions[-1].ca_name or "",
        "signs": [each.name for each in call.vault.signed_by(entry.name)],
        "versions": [{"id": each.id, **about(each)} for each in reversed(entry.versions)],
    }


def _versions(call: Call, entry: Entry) -> Answer:
    call.require("read", entry.name)
    versions = entry.current() if call.query.get("current") == "true" else list(reversed(entry.versions))
    return Answer(200, [view(entry, each, concatenates=call.vault.concatenates) for each in versions])


def _add(call: Call, entry: Entry) -> Answer:
    call.require("write", entry.name)
    said = call.body({"value", "transitional"})
    version = setting.certificate(call, entry.name, dict(said.get("value") or {}))
    version.transitional = bool(said.get("transitional"))
    _require_no_other(entry, version.transitional)
    entry.versions.append(version)
    if version.transitional:
        call.vault.renew_children(entry)
    return Answer(200, view(entry, version))


def _delete(call: Call, entry: Entry, version_id: str) -> Answer:
    call.require("delete", entry.name)
    found = next((each for each in entry.versions if each.id == version_id), None)
    if found is None:
        raise Refused(404, words.ACCESS)
    if len(entry.versions) == 1:
        raise Refused(400, words.LAST_VERSION)
    entry.versions.remove(found)
    if found.transitional:
        call.vault.renew_children(entry)
    return Answer(200, view(entry, found))


def _regenerate(call: Call, entry: Entry) -> Answer:
    call.require("write", entry.name)
    keys = {"set_as_transitional", "allow_transitional_parent_to_sign", "key_length", "duration", "metadata"}
    said = call.body(keys)
    transitional = bool(said.get("set_as_transitional"))
    _require_no_other(entry, transitional)
    changes = {key: said[key] for key in ("key_length", "duration") if said.get(key) is not None}
    last = entry.signing() or entry.versions[-1]
    version = call.vault.reissue(entry, last, changes, said.get("metadata"))
    version.transitional = transitional
    if transitional:
        own = x509.load_pem_x509_certificate(version.pem.encode())
        version.ca = version.pem if own.subject == own.issuer else version.ca
        call.vault.renew_children(entry)
    return Answer(200, view(entry, version, concatenates=call.vault.concatenates, generating=True))


def _mark(call: Call, entry: Entry) -> Answer:
    call.require("write", entry.name)
    call.vault.mark_transitional(entry, call.body({"version"}).get("version"))
    return Answer(200, [view(entry, each) for each in entry.current()])


def _require_no_other(entry: Entry, transitional: bool) -> None:
    if transitional and entry.transitional() is not None:
        raise Refused(400, words.TRANSITIONAL)
