"""What must change in a zone so that it says what it should.  Pure.

A record set of ours carries a comment of the account ``kubo``; whoever else has records in the zone keeps them.
"""

from __future__ import annotations

from typing import Any

from kubo_sdk_powerdns.managed.agent.settings import RRset, Zone

OWNER = "kubo"
_MARK = [{"content": OWNER, "account": OWNER}]
_START = "SOA"


def changes(zone: Zone, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The record sets to send; *found* are those of the server."""
    there = {_key(each["name"], each["type"]): each for each in found if each["records"] or _is_ours(each)}
    wished = {_key(rrset.name, rrset.type): rrset for rrset in zone.rrsets}
    stale = [key for key, each in there.items() if key not in wished and _goes(each, wished)]
    differ = [rrset for key, rrset in wished.items() if key not in there or _differs(rrset, there[key])]
    deleted = [{"name": name, "type": kind, "changetype": "DELETE"} for name, kind in stale]
    return [*deleted, *map(_replacement, differ)]


def creation(zone: Zone) -> dict[str, Any]:
    """The body that makes the zone with all it should say."""
    start = {"name": zone.name, "type": _START, "ttl": 60, "records": [_record(zone.start_of_authority)]}
    rrsets = [
        {key: value for key, value in _replacement(rrset).items() if key != "changetype"} for rrset in zone.rrsets
    ]
    return {
        "name": zone.name,
        "kind": "Native",
        "account": OWNER,
        "soa_edit_api": "DEFAULT",
        "nameservers": [],
        "rrsets": [start, *rrsets],
    }


def leftovers(found: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    """Of a zone we made and need no more: what to delete in it, and whether nobody else has anything there."""
    ours = [each for each in found if _is_ours(each)]
    others = [each for each in found if not _is_ours(each) and each["type"] != _START and each["records"]]
    deleted = [{"name": each["name"], "type": each["type"], "changetype": "DELETE"} for each in ours]
    return deleted, not others


def _key(name: str, type: str) -> tuple[str, str]:
    return name.lower(), type


def _goes(each: dict[str, Any], wished: dict[tuple[str, str], RRset]) -> bool:
    """Ours that is wished for no more; and an alias that would keep a name of ours from having an address."""
    if _is_ours(each):
        return True
    name = each["name"].lower()
    names = {rrset for other, rrset in wished if other == name}
    return bool(names) and (each["type"] == "CNAME" or "CNAME" in names) and each["type"] != _START


def _is_ours(each: dict[str, Any]) -> bool:
    return any(comment.get("account") == OWNER for comment in each.get("comments", ()))


def _differs(rrset: RRset, each: dict[str, Any]) -> bool:
    records = {record["content"].lower() for record in each["records"] if not record.get("disabled")}
    hidden = any(record.get("disabled") for record in each["records"])
    wished = {content.lower() for content in rrset.contents}
    return hidden or records != wished or each["ttl"] != rrset.ttl or not _is_ours(each)


def _replacement(rrset: RRset) -> dict[str, Any]:
    return {
        "name": rrset.name,
        "type": rrset.type,
        "ttl": rrset.ttl,
        "changetype": "REPLACE",
        "records": [_record(content) for content in sorted(rrset.contents)],
        "comments": _MARK,
    }


def _record(content: str) -> dict[str, Any]:
    return {"content": content, "disabled": False}
