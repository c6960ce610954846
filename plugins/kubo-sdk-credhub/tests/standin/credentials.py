"""The endpoints below ``/api/v1/data``, regenerate, bulk-regenerate and interpolate."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509

from . import forge, setting, words
from .views import moment, view
from .web import Answer
from .words import Refused

if TYPE_CHECKING:
    from .service import Call

GENERATED = ("password", "user", "certificate", "ssh", "rsa")
SET = ("value", "json", *GENERATED)
CHARACTERS = re.compile(r"[a-zA-Z0-9\-_/.:,()\[\]+]*")


def checked(name: Any) -> str:
    if not isinstance(name, str) or not name.strip("/"):
        raise Refused(400, words.NAME_MISSING)
    name = name if name.startswith("/") else f"/{name}"
    if len(name) > 1024:
        raise Refused(400, words.NAME_LENGTH)
    if "//" in name or name.endswith("/"):
        raise Refused(400, words.NAME_SLASH)
    if not CHARACTERS.fullmatch(name):
        raise Refused(400, words.NAME_CHARACTERS)
    return name


def checked_metadata(said: dict[str, Any]) -> Any:
    if len(json.dumps(said.get("metadata"))) > 7000:
        raise Refused(400, words.METADATA_LENGTH)
    return said.get("metadata")


def answer(call: Call) -> Answer | None:
    match call.request.method, call.request.path:
        case "GET", "/api/v1/data":
            return _search(call) if "name" not in call.query else _by_name(call)
        case "GET", path if path.startswith("/api/v1/data/"):
            return _by_id(call, path.rpartition("/")[2])
        case "PUT", "/api/v1/data":
            return _set(call)
        case "POST", "/api/v1/data":
            return _generate(call)
        case "DELETE", "/api/v1/data":
            return _delete(call)
        case "POST", "/api/v1/regenerate":
            return _regenerate(call, call.body({"name", "metadata"}))
        case "POST", "/api/v1/bulk-regenerate":
            return _bulk(call)
        case "POST", "/api/v1/interpolate":
            return Answer(200, _interpolated(call, call.request.json()))
    return None


def _by_name(call: Call) -> Answer:
    name = call.query["name"]
    name = name if name.startswith("/") else f"/{name}"
    if "current" in call.query and "versions" in call.query:
        raise Refused(400, words.CURRENT_AND_VERSIONS)
    call.require("read", name)
    entry = call.vault.entry(name)
    versions = [] if entry is None else list(reversed(entry.versions))
    if entry is not None and call.query.get("current") == "true":
        versions = entry.current()
    elif "versions" in call.query:
        count = int(call.query["versions"])
        if count < 0:
            raise Refused(400, "The query parameter versions was not valid for this request.")
        versions = versions[:count]
    if entry is None or not versions:
        raise Refused(404, words.ACCESS)
    return Answer(200, {"data": [view(entry, each, concatenates=call.vault.concatenates) for each in versions]})


def _by_id(call: Call, version_id: str) -> Answer:
    for entry in call.vault.entries.values():
        for version in entry.versions:
            if version.id == version_id:
                call.require("read", entry.name)
                return Answer(200, view(entry, version, concatenates=call.vault.concatenates))
    raise Refused(404, words.ACCESS)


def _search(call: Call) -> Answer:
    if "path" in call.query:
        prefix = "/" + call.query["path"].strip("/").lower()
        prefix = prefix if prefix.endswith("/") else f"{prefix}/"
        found = [entry for key, entry in call.vault.entries.items() if key.startswith(prefix)]
    elif "name-like" in call.query:
        pattern = re.escape(call.query["name-like"].lower()).replace("%", ".*")
        found = [entry for key, entry in call.vault.entries.items() if re.search(pattern, key)]
    else:
        raise Refused(400, "The query parameter name is required for this request.")
    readable = [entry for entry in found if call.may("read", entry.name)]
    if "expires-within-days" in call.query:
        return Answer(200, {"credentials": _expiring(call, readable)})
    newest = sorted(readable, key=lambda entry: entry.versions[-1].created, reverse=True)
    rows = [{"version_created_at": moment(each.versions[-1].created), "name": each.name} for each in newest]
    return Answer(200, {"credentials": rows})


def _expiring(call: Call, entries: list[Any]) -> list[dict[str, str]]:
    until = call.vault.now() + timedelta(days=int(call.query["expires-within-days"]))
    rows = []
    for entry in entries:
        if entry.type == "certificate":
            end = x509.load_pem_x509_certificate(entry.versions[-1].pem.encode()).not_valid_after_utc
            if end <= until:
                rows.append(
                    {
                        "version_created_at": moment(entry.versions[-1].created),
                        "name": entry.name,
                        "expiry_date": moment(end),
                    }
                )
    return rows


def _set(call: Call) -> Answer:
    said = call.body({"name", "type", "value", "metadata"}, status=422)
    kind = str(said.get("type") or "").lower()
    if kind not in SET:
        raise Refused(422, words.SET_TYPE)
    name = checked(said.get("name"))
    metadata = checked_metadata(said)
    version = setting.version(call, name, kind, said.get("value"))
    version.metadata = metadata
    call.require("write", name)
    entry, version = call.vault.add(name, kind, version)
    return Answer(200, view(entry, version))


def _generate(call: Call) -> Answer:
    said = call.body({"name", "type", "mode", "overwrite", "parameters", "metadata", "value", "regenerate"})
    if said.get("regenerate"):
        return _regenerate(call, said)
    kind = str(said.get("type") or "").lower()
    if kind in ("value", "json"):
        raise Refused(400, words.CANNOT_GENERATE)
    if kind not in GENERATED:
        raise Refused(400, words.GENERATE_TYPE)
    name, metadata, mode = checked(said.get("name")), checked_metadata(said), _mode(said)
    parameters = _parameters(kind, said)
    call.require("write", name)
    if parameters.get("ca"):
        call.require("read", parameters["ca"], words.CA_ACCESS)
    entry, version = call.vault.generate(name, kind, mode, parameters, metadata)
    return Answer(200, view(entry, version, concatenates=call.vault.concatenates, generating=True))


def _parameters(kind: str, said: dict[str, Any]) -> dict[str, Any]:
    parameters = dict(said.get("parameters") or {})
    for key in parameters:
        if key not in forge.KNOWN[kind]:
            raise Refused(400, words.unknown_key(key))
    if kind == "user" and isinstance(said.get("value"), dict):
        parameters["username"] = said["value"].get("username")
    if kind == "certificate":
        if not parameters:
            raise Refused(400, words.NO_PARAMETERS)
        forge.check_certificate(parameters)
        if parameters.get("ca"):
            parameters["ca"] = "/" + parameters["ca"].lstrip("/")
    return parameters


def _mode(said: dict[str, Any]) -> str:
    if "mode" in said and "overwrite" in said:
        raise Refused(400, words.MODE_AND_OVERWRITE)
    if "overwrite" in said:
        return "overwrite" if said["overwrite"] else "no-overwrite"
    mode = said.get("mode") or "converge"
    if mode not in ("converge", "overwrite", "no-overwrite"):
        raise Refused(400, words.MODE)
    return str(mode)


def _delete(call: Call) -> Answer:
    name = checked(call.query.get("name"))
    call.require("delete", name)
    if call.vault.entries.pop(name.lower(), None) is None:
        raise Refused(404, words.ACCESS)
    return Answer(204)


def _regenerate(call: Call, said: dict[str, Any]) -> Answer:
    name = str(said.get("name") or "")
    call.require("write", name)
    entry = call.vault.entry(name)
    if entry is None:
        raise Refused(404, words.ACCESS)
    version = call.vault.regenerate(entry, checked_metadata(said))
    return Answer(200, view(entry, version, concatenates=call.vault.concatenates, generating=True))


def _bulk(call: Call) -> Answer:
    name = "/" + str(call.body({"signed_by"}).get("signed_by") or "").lstrip("/")
    call.require("read", name)
    for entry in call.vault.signed_by(name):
        call.require("write", entry.name)
    return Answer(200, {"regenerated_credentials": call.vault.bulk_regenerate(name)})


def _interpolated(call: Call, services: Any) -> Any:
    for entries in services.values():
        for each in entries if isinstance(entries, list) else ():
            held = each.get("credentials") if isinstance(each, dict) else None
            ref = (held.get("credhub-ref") or held.get("credhub_ref")) if isinstance(held, dict) else None
            if ref:
                each["credentials"] = _json_value(call, str(ref).strip("()"))
    return services


def _json_value(call: Call, name: str) -> Any:
    entry = call.vault.entry(name)
    if entry is None or not call.may("read", name):
        raise Refused(404, words.ACCESS)
    if entry.type != "json":
        raise Refused(400, words.NOT_JSON_TYPE.format(name))
    return entry.versions[-1].value
